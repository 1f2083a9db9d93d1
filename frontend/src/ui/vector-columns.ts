// Properties of a tile's features, a column each: a few arrays go from the worker to the page where thousands of
// objects would hold up both. Pure.

export type Value = string | number | boolean;

export type Properties = Record<string, Value>;

/** One property of all features. */
export type Column =
  /** NaN: the feature has none. */
  | { kind: "numbers"; values: Float64Array }
  /** 0 none, 1 false, 2 true. */
  | { kind: "flags"; values: Uint8Array }
  /** That of feature i is starts[i] … starts[i+1] of the text; none where that is empty. */
  | { kind: "texts"; text: string; starts: Uint32Array }
  | { kind: "mixed"; values: (Value | undefined)[] };

export type Columns = ReadonlyMap<string, Column>;

// So many ids are looked up one by one in the text that holds them all, which costs microseconds; more by a walk.
const FEW = 16;

/** Return the smallest column that holds the values. */
export function packed(values: readonly (Value | undefined)[]): Column {
  const all = (fits: (value: Value) => boolean): boolean => values.every((value) => value === undefined || fits(value));
  if (all((value) => typeof value === "number")) return { kind: "numbers", values: Float64Array.from(values, (value) => (value === undefined ? NaN : Number(value))) };
  if (all((value) => typeof value === "boolean")) return { kind: "flags", values: Uint8Array.from(values, (value) => (value === undefined ? 0 : value ? 2 : 1)) };
  if (!all((value) => typeof value === "string" && value !== "")) return { kind: "mixed", values: [...values] };
  const starts = new Uint32Array(values.length + 1);
  values.forEach((value, index) => {
    starts[index + 1] = (starts[index] ?? 0) + (typeof value === "string" ? value.length : 0);
  });
  return { kind: "texts", text: values.join(""), starts };
}

/** Return a feature's value; undefined for none. */
export function valueAt(column: Column | undefined, feature: number): Value | undefined {
  if (!column) return undefined;
  if (column.kind === "mixed") return column.values[feature];
  if (column.kind === "flags") return column.values[feature] ? column.values[feature] === 2 : undefined;
  if (column.kind === "texts") return column.text.slice(column.starts[feature], column.starts[feature + 1]) || undefined;
  const value = column.values[feature];
  return value === undefined || Number.isNaN(value) ? undefined : value;
}

/** Return all properties of a feature. */
export function propertiesOf(columns: Columns, feature: number): Properties {
  const properties: Properties = {};
  for (const [name, column] of columns) {
    const value = valueAt(column, feature);
    if (value !== undefined) properties[name] = value;
  }
  return properties;
}

/** Return what reads one feature after the other through the same object: only what is looked at is read. */
export function readerOf(columns: Columns): (feature: number) => Properties {
  let at = 0;
  const row = {} as Properties;
  for (const [name, column] of columns) Object.defineProperty(row, name, { get: () => valueAt(column, at), enumerable: true });
  return (feature) => {
    at = feature;
    return row;
  };
}

/** Return the features whose value is one of these texts, by rising number. */
export function featuresWith(column: Column | undefined, texts: ReadonlySet<string>): number[] {
  if (column?.kind !== "texts" || texts.size === 0) return [];
  const { text, starts } = column;
  const found: number[] = [];
  if (texts.size > FEW) {
    for (let feature = 0; feature + 1 < starts.length; feature++) {
      if (texts.has(text.slice(starts[feature], starts[feature + 1]))) found.push(feature);
    }
    return found;
  }
  for (const wanted of texts) {
    for (let at = wanted ? text.indexOf(wanted) : -1; at >= 0; at = text.indexOf(wanted, at + 1)) {
      const feature = featureAt(starts, at);
      if (starts[feature] === at && starts[feature + 1] === at + wanted.length) found.push(feature);
    }
  }
  return found.sort((a, b) => a - b);
}

/** The last feature whose text starts at or before a place. */
function featureAt(starts: Uint32Array, place: number): number {
  let [low, high] = [0, starts.length - 2];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= place) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The arrays of columns that go to another thread without a copy. */
export function columnBuffers(columns: Columns): ArrayBuffer[] {
  return [...columns.values()].flatMap((column): ArrayBuffer[] => {
    if (column.kind === "mixed") return [];
    return [(column.kind === "texts" ? column.starts : column.values).buffer as ArrayBuffer];
  });
}
