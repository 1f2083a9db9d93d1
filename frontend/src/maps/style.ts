// The style of a layer as the map keeps it, and what it makes of a feature. Knows neither DOM nor network.
import type { Paint, PointSymbol, VectorStyle } from "../ui/map";
import { classOf } from "./ramps";
import type { FeaturesRow, LayerRow } from "./types";

export type Open = number | null;

/** Features whose field lies in the range, or is one of the values, are shown. */
export type Condition = { field: string; range: [Open, Open] } | { field: string; values: (string | number | boolean)[] };

/** Which features are shown. */
export interface Filter {
  /** Class values that are not; -1 is "no class". */
  hidden?: number[];
  score?: [Open, Open];
  fields?: Condition[];
}

export interface FeatureStyle {
  by?: "class" | "single" | "graduated";
  colour?: string;
  field?: string;
  ramp?: string;
  method?: "equal" | "quantile" | "by_hand";
  breaks?: number[];
  /** One more than breaks. */
  colours?: string[];
  fill?: number;
  line?: number;
  symbol?: PointSymbol;
  radius?: number;
  /** "class", or a field. */
  label?: string;
  label_size?: number;
  filter?: Filter;
}

export const FILL = 0.3;
export const LINE = 1.5;
export const RADIUS = 5;
export const LABEL_SIZE = 13;
export const SINGLE = "#1b9e77";
/** Of features whose field is empty. */
export const NO_VALUE = "#8a9591";

export type Value = string | number | boolean;
/** Reads one field of a feature. */
export type ReadField = (properties: Record<string, Value>) => Value | undefined;
/** Return what reads a field; null while its values are on their way. */
export type ColumnOf = (field: string) => ReadField | null;

/** The style of a feature layer. */
export function featureStyle(row: LayerRow): FeatureStyle {
  return row.style as FeatureStyle;
}

/** The fields whose values the style and filter need of all features; the tiles bring class and score themselves. */
export function neededFields(style: FeatureStyle, filter: Filter): string[] {
  const wanted = [
    ...(style.by === "graduated" && style.field ? [style.field] : []),
    ...(style.label && style.label !== "class" ? [style.label] : []),
    ...(filter.fields ?? []).map((condition) => condition.field),
  ];
  return [...new Set(wanted)].filter((field) => field !== "score");
}

function within(value: Value | undefined, [low, high]: readonly [Open, Open]): boolean {
  if (typeof value !== "number") return false;
  return (low === null || value >= low) && (high === null || value <= high);
}

/** Whether a condition hides anything: one that was only begun does not. */
function says(condition: Condition): boolean {
  return "range" in condition ? condition.range.some((end) => end !== null) : condition.values.length > 0;
}

/** Whether a filter says anything. */
export function filters(filter: Filter): boolean {
  return (filter.hidden?.length ?? 0) > 0 || filter.score !== undefined || (filter.fields?.length ?? 0) > 0;
}

function scoreOf(properties: Record<string, Value>): Value | undefined {
  return properties["score"];
}

function isCell(properties: Record<string, Value>): boolean {
  return properties["count"] !== undefined;
}

/** Return what tells whether a feature is shown. While a column is on its way its condition is not asked. */
export function shows(filter: Filter, column: ColumnOf): (classValue: number, properties: Record<string, Value>) => boolean {
  const hidden = new Set(filter.hidden);
  const { score } = filter;
  const conditions = (filter.fields ?? []).filter(says).map((condition) => ({ condition, read: condition.field === "score" ? scoreOf : column(condition.field) }));
  return (classValue, properties) => {
    if (hidden.has(classValue)) return false;
    if (score && !within(properties["score"], score)) return false;
    return conditions.every(({ condition, read }) => {
      // A square that counts many features knows their score, but none of their fields: nobody can say what it hides.
      if (read === null || (isCell(properties) && condition.field !== "score")) return true;
      const value = read(properties);
      return "range" in condition ? within(value, condition.range) : value !== undefined && condition.values.includes(value);
    });
  };
}

/** Return what gives a feature its colour, or null where the filter hides it. */
export function painter(row: FeaturesRow, filter: Filter, column: ColumnOf): Paint {
  const style = featureStyle(row);
  const shown = shows(filter, column);
  const classes = new Map(row.features.classes.map((item) => [item.value, item.colour]));
  const { field = "", breaks = [], colours = [] } = style;
  const read = style.by === "graduated" ? (field === "score" ? scoreOf : column(field)) : null;
  const unknown = (filter.fields ?? []).some((condition) => says(condition) && condition.field !== "score");
  const colour = (classValue: number, properties: Record<string, Value>): string => {
    if (unknown && isCell(properties)) return NO_VALUE;
    if (style.by === "single") return style.colour ?? SINGLE;
    if (style.by !== "graduated") return classes.get(classValue) ?? NO_VALUE;
    const value = read?.(properties);
    return typeof value === "number" ? (colours[classOf(value, breaks)] ?? NO_VALUE) : NO_VALUE;
  };
  return (classValue, properties) => (shown(classValue, properties) ? colour(classValue, properties) : null);
}

/** Return the style as the map's layer takes it. */
export function vectorStyle(row: FeaturesRow, filter: Filter, column: ColumnOf): VectorStyle {
  const style = featureStyle(row);
  const common = {
    colours: new Map(row.features.classes.map((item) => [item.value, item.colour])),
    otherColour: NO_VALUE,
    fillOpacity: style.fill ?? FILL,
    lineWidth: style.line ?? LINE,
    symbol: style.symbol,
    radius: style.radius ?? RADIUS,
  };
  const plain = (style.by ?? "class") === "class" && filter.score === undefined && !filter.fields?.length;
  if (plain) return { ...common, hidden: new Set(filter.hidden) };
  return { ...common, paint: painter(row, filter, column) };
}

/** Return what a feature's label says; null where the style has none. */
export function labeller(row: FeaturesRow, column: ColumnOf): ((classValue: number, properties: Record<string, Value>) => string) | null {
  const { label } = featureStyle(row);
  if (!label) return null;
  if (label === "class") {
    const names = new Map(row.features.classes.map((item) => [item.value, item.name]));
    return (classValue) => names.get(classValue) ?? "";
  }
  const read = label === "score" ? scoreOf : column(label);
  return (_, properties) => {
    const value = read?.(properties);
    if (value === undefined) return "";
    if (label === "score") return `${Math.round(Number(value) * 100)} %`;
    return typeof value === "number" ? value.toLocaleString("en", { maximumFractionDigits: 2 }) : String(value);
  };
}
