// The look of imagery as a form holds it, and as rendering words. Pure.
import type { Bounds } from "../ui/map";

/** How imagery is drawn: a saved rendering, or words; neither: the layer's own look. */
export interface ImageryStyle {
  rendering?: string;
  words?: Record<string, string[]>;
}

/** What the form needs of a layer. */
export interface LookRow {
  readonly imagery: { readonly id: string; readonly bands: readonly { readonly name: string }[]; readonly dtype: string };
  /** Complete words of what is drawn now, as the server fills them in. */
  readonly picture: { readonly words: Record<string, string[]> };
}

export interface LookProps {
  row: LookRow;
  style: ImageryStyle;
  onChange: (style: ImageryStyle, burst?: string) => void;
  /** What the map shows now, in degrees. */
  view: () => Bounds | null;
  /** Looks are saved for everybody: who may not, chooses among them. */
  maySave?: boolean;
}

/** Corrections after the stretch; each as it is: 1, 0, 1. */
export interface Tone {
  gamma: number;
  contrast: number;
  saturation: number;
}

export const PLAIN: Tone = { gamma: 1, contrast: 0, saturation: 1 };

export type Stretch = "minmax" | "percentile" | "stddev" | "hand";

export interface PictureDraft {
  mode: "rgb" | "single" | "math";
  /** 1-based: three of rgb, one of single. */
  bands: number[];
  expression: string;
  /** Colour map of a single band or of math; "" is grey. */
  colours: string;
  stretch: Stretch;
  /** Numbers of the stretch: percentiles, or standard deviations. */
  numbers: number[];
  /** Drawn black and white, one for each channel; of a stretch by hand. */
  ranges: [number, number][];
  tone: Tone;
}

export interface BandStatistics {
  min: number;
  max: number;
  mean: number;
  std: number;
  percentile_2: number;
  percentile_98: number;
  /** Counts, edges. */
  histogram?: [number[], number[]];
}

export const STRETCH_NUMBERS: Record<Stretch, number[]> = { minmax: [], percentile: [2, 98], stddev: [2], hand: [] };

function rangesOf(words: Record<string, string[]>): [number, number][] {
  return (words["rescale"] ?? []).map((text) => {
    const [low = 0, high = 255] = text.split(",").map(Number);
    return [low, high];
  });
}

const FORMULA = {
  gamma: /gamma\s+rgb\s+([\d.]+)/i,
  contrast: /sigmoidal\s+rgb\s+([\d.]+)/i,
  saturation: /saturation\s+([\d.]+)/i,
};

function toneOf(formula: string): Tone {
  const read = (name: keyof Tone): number => Number(FORMULA[name].exec(formula)?.[1] ?? PLAIN[name]);
  return { gamma: read("gamma"), contrast: read("contrast"), saturation: read("saturation") };
}

function formulaOf({ gamma, contrast, saturation }: Tone): string {
  return [
    ...(gamma === 1 ? [] : [`gamma RGB ${gamma}`]),
    ...(contrast === 0 ? [] : [`sigmoidal RGB ${contrast} 0.5`]),
    ...(saturation === 1 ? [] : [`saturation ${saturation}`]),
  ].join(", ");
}

/** Read a style, with the complete words that the server made of it. */
export function draftOf(style: ImageryStyle, complete: Record<string, string[]>): PictureDraft {
  const words = { ...complete, ...style.words };
  const expression = words["expression"]?.[0] ?? "";
  const bands = (words["bidx"] ?? ["1"]).map(Number);
  const [kind = "", ...numbers] = (style.words?.["stretch"]?.[0] ?? "").split(",");
  const stretch = kind === "minmax" || kind === "percentile" || kind === "stddev" ? kind : "hand";
  // What is being dragged is newer than the server's words.
  const given = rangesOf(style.words?.["rescale"] ? style.words : complete);
  const channels = expression ? 1 : bands.length;
  return {
    mode: expression ? "math" : bands.length >= 3 ? "rgb" : "single",
    bands,
    expression,
    colours: words["colormap_name"]?.[0] ?? "",
    stretch,
    numbers: numbers.length > 0 ? numbers.map(Number) : STRETCH_NUMBERS[stretch],
    tone: toneOf(words["color_formula"]?.[0] ?? ""),
    ranges: Array.from({ length: channels }, (_, index) => given[index] ?? given[0] ?? (expression ? [-1, 1] : [0, 255])),
  };
}

/** Write a form as rendering words. */
export function wordsOf(draft: PictureDraft): Record<string, string[]> {
  const words: Record<string, string[]> = draft.mode === "math" ? { expression: [draft.expression] } : { bidx: draft.bands.map(String) };
  if (draft.stretch === "hand" || draft.mode === "math") words["rescale"] = draft.ranges.map(([low, high]) => `${low},${high}`);
  else words["stretch"] = [[draft.stretch, ...draft.numbers].join(",")];
  const formula = formulaOf(draft.tone);
  if (formula && (draft.mode === "rgb" || !draft.colours)) words["color_formula"] = [formula];
  if (draft.colours && draft.mode !== "rgb") words["colormap_name"] = [draft.colours];
  return words;
}

function percentile([counts, edges]: [number[], number[]], percent: number): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  let before = 0;
  for (const [index, count] of counts.entries()) {
    if (count > 0 && before + count >= (percent / 100) * total) {
      const [low = 0, high = low] = [edges[index], edges[index + 1]];
      return low + (high - low) * (((percent / 100) * total - before) / count);
    }
    before += count;
  }
  return edges.at(-1) ?? 0;
}

/** What a stretch makes of a band, as the server does: the values drawn black and white. */
export function stretched(kind: Stretch, numbers: readonly number[], band: BandStatistics): [number, number] {
  if (kind === "minmax") return [band.min, band.max];
  if (kind === "stddev") {
    const reach = (numbers[0] ?? 2) * band.std;
    return [Math.max(band.min, band.mean - reach), Math.min(band.max, band.mean + reach)];
  }
  const [low = 2, high = 98] = numbers;
  if ((low === 2 && high === 98) || !band.histogram) return [band.percentile_2, band.percentile_98];
  return [percentile(band.histogram, low), percentile(band.histogram, high)];
}

/** A name for an address, of a title: "Near infrared" -> "near-infrared". */
export function nameOf(title: string): string {
  return title.toLowerCase().normalize("NFKD").replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 50);
}

/** The query behind the tiles' address that a style of imagery asks for. */
export function queryOf(style: ImageryStyle): string {
  if (style.rendering) return new URLSearchParams({ rendering: style.rendering }).toString();
  const pairs = Object.entries(style.words ?? {}).flatMap(([word, values]) => values.map((value) => [word, value]));
  return new URLSearchParams(pairs).toString();
}
