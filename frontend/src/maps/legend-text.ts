// What the legend says of styles and filters, in words. Pure: the panel and the printed map say the same.
import { number } from "../ui/format";
import { NO_VALUE } from "./style";
import type { Condition, FeatureStyle, Open } from "./style";
import type { ImageryRow } from "./types";

const NAMES: Record<string, string> = { score: "Score", area_m2: "Area (m²)", class: "Class" };

/** What a field is called. */
export function fieldName(field: string): string {
  return NAMES[field] ?? field;
}

function shown(field: string, value: number): string {
  return field === "score" ? `${number(value * 100)} %` : number(value);
}

/** "5 to 12", "from 5", "up to 12". */
export function rangeText(field: string, [low, high]: readonly [Open, Open]): string {
  if (low === null && high === null) return "any";
  if (low === null) return `up to ${shown(field, high ?? 0)}`;
  if (high === null) return `from ${shown(field, low)}`;
  return `${shown(field, low)} to ${shown(field, high)}`;
}

/** One condition of a filter as a sentence's end. */
export function conditionText(condition: Condition): string {
  const name = fieldName(condition.field);
  return "range" in condition ? `${name} ${rangeText(condition.field, condition.range)}` : `${name}: ${condition.values.join(", ")}`;
}

/** The lines of a graduated style, low to high, then what has no value. */
export function graduatedRows(style: FeatureStyle): { colour: string; text: string }[] {
  const { colours = [], breaks = [], field = "" } = style;
  const rows = colours.map((colour, index) => {
    const [low, high] = [breaks[index - 1] ?? null, breaks[index] ?? null];
    if (low === null && high === null) return { colour, text: "All values" };
    if (low === null) return { colour, text: `below ${shown(field, high ?? 0)}` };
    if (high === null) return { colour, text: `${shown(field, low)} and more` };
    return { colour, text: `${shown(field, low)} to ${shown(field, high)}` };
  });
  return [...rows, { colour: NO_VALUE, text: "No value" }];
}

/** What imagery shows: each channel's band and range, or the band (or index) that the ramp is for. */
export function pictureRows(row: ImageryRow): { kind: "bands"; rows: string[] } | { kind: "ramp"; name: string; colours: string[]; low: string; high: string } | null {
  const { words, ramp } = row.picture;
  const bands = (words["bidx"] ?? []).map(Number);
  const ranges = (words["rescale"] ?? []).map((text) => text.split(",").map(Number));
  const range = (index: number): string => {
    const [low, high] = ranges[index] ?? ranges[0] ?? [0, 255];
    return `${number(low)} to ${number(high)}`;
  };
  const name = (band: number): string => row.imagery.bands[band - 1]?.name || `band ${band}`;
  const expression = words["expression"]?.[0];
  if (expression === undefined && bands.length === 0) return null;
  if (bands.length === 3 || expression?.includes(";")) {
    const channels = ["Red", "Green", "Blue"];
    const parts = expression?.split(";") ?? bands.map(name);
    return { kind: "bands", rows: parts.map((part, index) => `${channels[index]}: ${part}, ${range(index)}`) };
  }
  const [low, high] = ranges[0] ?? [0, 255];
  return {
    kind: "ramp",
    name: expression ?? name(bands[0] ?? 1),
    colours: ramp.length > 0 ? ramp : ["#000000", "#ffffff"],
    low: number(low),
    high: number(high),
  };
}
