// Class schemas as files: our own JSON, and the list of classes that Esri's model definitions carry. Pure.

import { added, draftsOf } from "../label/schema-dialog";
import type { Draft } from "../label/schema-dialog";
import { SHAPES } from "../label/class-shapes";
import type { ClassShape, LabelClass } from "../label/types";

export type SchemaForm = "quadrat" | "esri";

/** A schema as JSON text; Esri's form is that of an .emd: value, name, colour as red, green, blue. */
export function written(classes: readonly LabelClass[], form: SchemaForm): string {
  const living = classes.filter(({ retired }) => !retired);
  const body =
    form === "quadrat"
      ? { classes: classes.map(({ value, name, colour, retired, shapes }) => ({ value, name, colour, retired, ...(shapes ? { shapes } : {}) })) }
      : { Classes: living.map(({ value, name, colour }) => ({ Value: value, Name: name, Color: rgb(colour) })) };
  return `${JSON.stringify(body, null, 2)}\n`;
}

function rgb(colour: string): [number, number, number] {
  return [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16)) as [number, number, number];
}

interface Found {
  readonly value: number | null;
  readonly name: string;
  readonly colour: string | null;
  readonly shapes: readonly ClassShape[] | null;
}

/**
 * The schema that a file names, laid over the one that is there: classes of the same value take name and colour, new
 * ones are added, none is removed. Null where the file names no classes.
 *
 * Any list of objects with a name counts, whatever it is called and however deep it lies: programs differ in that.
 */
export function merged(text: string, classes: readonly LabelClass[]): Draft[] | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return null;
  }
  const found = classesIn(parsed);
  if (!found.length) return null;
  let drafts: Draft[] = draftsOf(classes);
  for (const { value, name, colour, shapes } of found) {
    const at = drafts.findIndex((draft) => (value === null ? draft.name.toLowerCase() === name.toLowerCase() : draft.value === value));
    const draft = drafts[at];
    if (draft) {
      drafts = drafts.map((one, i) => (i === at ? { ...one, name, colour: colour ?? one.colour, shapes: shapes ?? one.shapes } : one));
    } else {
      const grown = added(drafts);
      const fresh = grown.at(-1);
      if (fresh) drafts = [...drafts, { ...fresh, value: value ?? fresh.value, name, colour: colour ?? fresh.colour, shapes: shapes ?? fresh.shapes }];
    }
  }
  return drafts;
}

const DEEPEST = 12;

function classesIn(value: unknown, depth = 0): Found[] {
  if (depth > DEEPEST || typeof value !== "object" || value === null) return [];
  if (Array.isArray(value)) {
    const here = value.flatMap((item) => classOf(item) ?? []);
    return [...here, ...value.flatMap((item) => classesIn(item, depth + 1))];
  }
  return Object.values(value).flatMap((item) => classesIn(item, depth + 1));
}

function classOf(item: unknown): Found | null {
  if (typeof item !== "object" || item === null || Array.isArray(item)) return null;
  const byName = new Map(Object.entries(item).map(([key, value]) => [key.toLowerCase(), value as unknown]));
  const name = first(byName, ["name", "classname", "class_name"]);
  if (typeof name !== "string" || name.trim() === "") return null;
  const number = Number(first(byName, ["value", "classvalue", "class_value", "classcode", "code", "id"]) ?? Number.NaN);
  const fits = Number.isInteger(number) && number >= 1 && number <= 255;
  const known = byName.has("value") || byName.has("classvalue") || byName.has("classcode") || byName.has("code") || byName.has("color") || byName.has("colour");
  return fits || known ? { value: fits ? number : null, name: name.trim().slice(0, 100), colour: colourOf(byName), shapes: shapesOf(byName.get("shapes")) } : null;
}

function shapesOf(given: unknown): readonly ClassShape[] | null {
  const found = Array.isArray(given) ? SHAPES.filter((shape) => given.includes(shape)) : [];
  return found.length ? found : null;
}

function first(values: ReadonlyMap<string, unknown>, names: readonly string[]): unknown {
  return names.map((name) => values.get(name)).find((value) => value !== undefined && value !== null);
}

function colourOf(values: ReadonlyMap<string, unknown>): string | null {
  const given = first(values, ["colour", "color"]);
  if (typeof given === "string" && /^#[0-9a-f]{6}$/i.test(given)) return given.toLowerCase();
  const parts = Array.isArray(given) ? given.slice(0, 3) : [values.get("red"), values.get("green"), values.get("blue")];
  const numbers = parts.map(Number);
  if (numbers.length !== 3 || !numbers.every((one) => Number.isInteger(one) && one >= 0 && one <= 255)) return null;
  return `#${numbers.map((one) => one.toString(16).padStart(2, "0")).join("")}`;
}
