// Colours from low to high, for features by a number. Stops of matplotlib's viridis and magma (CC0) and of ColorBrewer
// (Apache-2.0).

export const RAMPS = {
  viridis: ["#440154", "#3b528b", "#21918c", "#5ec962", "#fde725"],
  magma: ["#000004", "#51127c", "#b73779", "#fc8961", "#fcfdbf"],
  greens: ["#edf8e9", "#bae4b3", "#74c476", "#31a354", "#006d2c"],
  blues: ["#eff3ff", "#bdd7e7", "#6baed6", "#3182bd", "#08519c"],
  reds: ["#fee5d9", "#fcae91", "#fb6a4a", "#de2d26", "#a50f15"],
  "yellow to blue": ["#ffffcc", "#a1dab4", "#41b6c4", "#2c7fb8", "#253494"],
  "red to green": ["#d7191c", "#fdae61", "#ffffbf", "#a6d96a", "#1a9641"],
  "brown to teal": ["#a6611a", "#dfc27d", "#f5f5f5", "#80cdc1", "#018571"],
} as const;

export type RampName = keyof typeof RAMPS;

function channels(colour: string): number[] {
  return [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
}

/** Return `steps` colours of a ramp, its ends with them. */
export function steps(name: string, count: number): string[] {
  const stops = RAMPS[name in RAMPS ? (name as RampName) : "viridis"];
  return Array.from({ length: count }, (_, index) => {
    const at = count === 1 ? (stops.length - 1) / 2 : (index / (count - 1)) * (stops.length - 1);
    const low = channels(stops[Math.floor(at)] ?? stops[0]);
    const high = channels(stops[Math.ceil(at)] ?? stops[0]);
    const mixed = low.map((value, k) => Math.round(value + ((high[k] ?? value) - value) * (at % 1)));
    return `#${mixed.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
  });
}

/** Round to what a person would write: three digits that count. */
function tidy(value: number, span: number): number {
  if (span === 0) return value;
  const unit = 10 ** (Math.floor(Math.log10(Math.abs(span))) - 2);
  return Number((Math.round(value / unit) * unit).toPrecision(12));
}

/** How the numbers of a field lie: `quantiles[n]` are the inner edges of n classes that hold equally many. */
export interface Spread {
  min: number;
  max: number;
  quantiles: Record<string, readonly number[]>;
}

/** Return the inner edges of `count` classes over the values: of equal width, or holding equally many. Fewer where they fall together. */
export function breaksOf({ min: low, max: high, quantiles }: Spread, count: number, method: "equal" | "quantile"): number[] {
  const edges = Array.from({ length: count - 1 }, (_, index) => {
    const share = (index + 1) / count;
    if (method === "equal") return tidy(low + (high - low) * share, high - low);
    return tidy(quantiles[count]?.[index] ?? low, high - low);
  });
  return edges.filter((edge, index) => edge > low && edge <= high && edges.indexOf(edge) === index);
}

/** Return which class a value falls in: 0 below the first edge; a value on an edge is in the upper one. */
export function classOf(value: number, breaks: readonly number[]): number {
  let index = 0;
  while (index < breaks.length && value >= (breaks[index] ?? Infinity)) index += 1;
  return index;
}
