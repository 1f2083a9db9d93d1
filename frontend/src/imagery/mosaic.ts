// A mosaic's list of scenes and its rule, without their looks.
import type { Bounds } from "../ui/map";

export const RULES = ["newest", "first", "mean", "highest", "lowest"] as const;
export type Rule = (typeof RULES)[number];

export const RULE_TEXT: Record<Rule, { label: string; hint: string }> = {
  newest: { label: "Newest on top", hint: "By the date taken. Scenes without a date lie below, in the list’s order." },
  first: { label: "First on top", hint: "In the list’s order." },
  mean: { label: "Mean", hint: "Of all scenes with data at a pixel, band by band." },
  highest: { label: "Highest value", hint: "Of all scenes with data at a pixel, band by band." },
  lowest: { label: "Lowest value", hint: "Of all scenes with data at a pixel, band by band." },
};

type Ring = [number, number][];

export interface Scene {
  id: string;
  name: string;
  url: string;
  acquired_at: string | null;
  gsd_m: number;
  epsg: number | null;
  bounds: Bounds | null;
  footprint: { type: "MultiPolygon"; coordinates: Ring[][] } | null;
}

export interface Mosaic {
  rule: Rule;
  state: "building" | "ready";
  version: number;
  scenes: Scene[];
  mosaicjson: string;
}

/** Whether a mosaic's pixels are on their way: its layer says so, or was read before its list was saved. */
export function isBeingMade(layer: { state: "building" | "ready"; version: number }, mosaic: Pick<Mosaic, "version"> | null): boolean {
  return layer.state === "building" || (mosaic !== null && mosaic.version > layer.version);
}

/** The list with one scene moved to another place. */
export function moved(scenes: readonly Scene[], from: number, to: number): Scene[] {
  const rest = scenes.filter((_, index) => index !== from);
  const scene = scenes[from];
  return scene === undefined || to < 0 || to > rest.length ? [...scenes] : [...rest.slice(0, to), scene, ...rest.slice(to)];
}

/** The list with more scenes at its end; those it has already stay where they are. */
export function withMore(scenes: readonly Scene[], more: readonly Scene[]): Scene[] {
  const known = new Set(scenes.map((scene) => scene.id));
  return [...scenes, ...more.filter((scene) => !known.has(scene.id))];
}

/** Whether two lists hold the same scenes in the same order. */
export function sameList(one: readonly Scene[], other: readonly Scene[]): boolean {
  return one.length === other.length && one.every((scene, index) => scene.id === other[index]?.id);
}

/** The box around all scenes; one beyond 180° is counted on where that is nearer to the first. */
export function boxOf(scenes: readonly Scene[]): Bounds | null {
  const boxes = scenes.flatMap((scene) => (scene.bounds ? [scene.bounds] : []));
  const first = boxes[0];
  if (!first) return null;
  const near = boxes.map((box) => {
    const turn = 360 * Math.round((first[0] + first[2] - box[0] - box[2]) / 720);
    return [box[0] + turn, box[1], box[2] + turn, box[3]] as Bounds;
  });
  return [
    Math.min(...near.map((box) => box[0])),
    Math.min(...near.map((box) => box[1])),
    Math.max(...near.map((box) => box[2])),
    Math.max(...near.map((box) => box[3])),
  ];
}
