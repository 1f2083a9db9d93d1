// How a file is imported: first guesses from a look into it, and what is sent. Pure.

import type { Bounds, FileClass, FileField, FileTable, Look } from "./types";

/** What becomes of one value of the class column: a class value, a new class, no class, or left out. */
export type ClassChoice = number | "new" | "none" | "skip";

export interface Choices {
  readonly tables: readonly number[];
  /** "EPSG:…"; "": that of the file. */
  readonly crs: string;
  readonly classField: string;
  /** Of features whose column is empty, or of all; 0: none. */
  readonly classValue: number;
  readonly classMap: Readonly<Record<string, ClassChoice>>;
  /** Column -> name here; "" leaves it out. */
  readonly fields: Readonly<Record<string, string>>;
  /** A person checked them; otherwise all of them are suggestions to review. */
  readonly verified: boolean;
}

/** Names under which our own exports keep what is no field; the server knows them. */
const OWN = new Set(["class_value", "class_name", "score", "source", "verified"]);
const CLASS_WORDS = ["class_name", "classname", "class", "label", "category", "type", "class_value", "classvalue", "classcode", "building", "landuse"];
/** More values than this name things, not classes. */
const MOST_CLASSES = 60;

/** The column that most likely names the class; "" where none does. */
export function likelyClassField(fields: readonly FileField[]): string {
  const byName = new Map(fields.map((field) => [field.name.toLowerCase(), field]));
  for (const word of CLASS_WORDS) {
    const found = byName.get(word);
    if (found?.values && found.values.length > 0 && found.values.length <= MOST_CLASSES) return found.name;
  }
  return "";
}

/** What each value of a column becomes at first: the class of that name or value, else a new one. */
export function likelyClassMap(values: readonly (readonly [string, number])[], classes: readonly FileClass[], mayAdd: boolean): Record<string, ClassChoice> {
  const byName = new Map(classes.map((one) => [one.name.trim().toLowerCase(), one.value]));
  const known = new Set(classes.map(({ value }) => value));
  const map: Record<string, ClassChoice> = {};
  for (const [text] of values) {
    const value = /^\d{1,3}$/.test(text) ? Number(text) : Number.NaN;
    map[text] = byName.get(text.toLowerCase()) ?? (known.has(value) ? value : text !== "" && mayAdd ? "new" : "none");
  }
  return map;
}

/** The columns of the chosen tables, each once, with the values of all of them. */
export function fieldsOf(look: Look, tables: readonly number[]): FileField[] {
  const found = new Map<string, FileField>();
  for (const table of look.tables) {
    if (!tables.includes(table.index) || table.error !== undefined) continue;
    for (const field of table.fields) {
      const known = found.get(field.name);
      found.set(field.name, known ? joined(known, field) : field);
    }
  }
  return [...found.values()];
}

function joined(one: FileField, other: FileField): FileField {
  const types = [...new Set([...one.types, ...other.types])];
  if (!one.values || !other.values) return { name: one.name, types, values: null };
  const counts = new Map<string, number>();
  for (const [text, count] of [...one.values, ...other.values]) counts.set(text, (counts.get(text) ?? 0) + count);
  return { name: one.name, types, values: [...counts] };
}

/** Columns that become fields here, as far as a person chooses. */
export function keptFields(fields: readonly FileField[]): FileField[] {
  return fields.filter(({ name }) => !OWN.has(name));
}

/** The first choices for a file: all tables of a shapefile zip, else the first that can be read. */
export function firstChoices(look: Look, classes: readonly FileClass[], mayAdd: boolean): Choices {
  const readable = look.tables.filter(({ error }) => error === undefined);
  const tables = (look.format === "shapefile" ? readable : readable.slice(0, 1)).map(({ index }) => index);
  return withTables({ tables, crs: "", classField: "", classValue: 0, classMap: {}, fields: {}, verified: true }, look, tables, classes, mayAdd);
}

/** The choices with other tables: class column and its values are guessed anew. */
export function withTables(choices: Choices, look: Look, tables: readonly number[], classes: readonly FileClass[], mayAdd: boolean): Choices {
  const fields = fieldsOf(look, tables);
  const told = look.tables.find(({ index }) => tables.includes(index))?.class_field ?? "";
  const classField = fields.some(({ name }) => name === told) ? told : likelyClassField(fields);
  return withClassField({ ...choices, tables }, fields, classField, classes, mayAdd);
}

/** The choices with another class column. */
export function withClassField(choices: Choices, fields: readonly FileField[], classField: string, classes: readonly FileClass[], mayAdd: boolean): Choices {
  const values = fields.find(({ name }) => name === classField)?.values ?? [];
  return { ...choices, classField, classMap: likelyClassMap(values, classes, mayAdd) };
}

/** What keeps the import from starting; "" where nothing does. */
export function problemOf(look: Look, choices: Choices): string {
  const chosen = look.tables.filter(({ index }) => choices.tables.includes(index));
  if (!chosen.length) return "Choose at least one table.";
  if (choices.crs && !/^EPSG:\d{4,6}$/.test(choices.crs)) return "Write the CRS as EPSG and its number, for example EPSG:32651.";
  if (!choices.crs && chosen.some(({ crs }) => crs === null)) return "The file does not say in which CRS its coordinates are. Give its EPSG code.";
  return "";
}

/** The body of the request that starts the import. */
export function bodyOf(look: Look, choices: Choices): Record<string, unknown> {
  const assumed = look.tables.find(({ index, crs }) => choices.tables.includes(index) && crs?.assumed)?.crs?.id ?? "";
  return {
    tables: choices.tables,
    // What was assumed without a code is that of the imagery.
    crs: choices.crs || (assumed === "" || assumed.startsWith("EPSG:") ? assumed : "imagery"),
    class_property: choices.classField,
    class_value: choices.classValue,
    class_map: choices.classMap,
    fields: choices.fields,
    verified: choices.verified,
    add_classes: false,
  };
}

/** How much of the file's extent lies on the imagery: all, some, none, or unknown. */
export function overlap(file: Bounds | null, imagery: Bounds | null): "all" | "some" | "none" | "unknown" {
  if (!file || !imagery) return "unknown";
  const [w, s, e, n] = file;
  const [west, south, east, north] = imagery;
  if (e < west || w > east || n < south || s > north) return "none";
  return w >= west && e <= east && s >= south && n <= north ? "all" : "some";
}

/** The box around all chosen tables. */
export function boundsOf(tables: readonly FileTable[]): Bounds | null {
  const boxes = tables.flatMap(({ bounds }) => (bounds ? [bounds] : []));
  if (!boxes.length) return null;
  return [Math.min(...boxes.map((b) => b[0])), Math.min(...boxes.map((b) => b[1])), Math.max(...boxes.map((b) => b[2])), Math.max(...boxes.map((b) => b[3]))];
}
