// The HTTP side of a layer.

import { get, post } from "../ui/api";
import type { Total } from "./app";
import type { Rest } from "./sync";
import type { Geometry, Id, Position } from "./types";
import type { CollectionJson, EditRowJson, ResultJson } from "./wire";

/** Calls below the layer's own URL ("/api/layers/<id>/"); edits go to the label set, which knows of tasks. */
export function restOf(layerUrl: string, editsUrl: string): Rest {
  return {
    samples: (bounds, limit) => get<CollectionJson>(`${layerUrl}features?limit=${limit}${bounds ? `&bbox=${bounds.join(",")}` : ""}`),
    log: (after) => get<{ edits: EditRowJson[]; seq: number; resync: boolean }>(`${layerUrl}edits?after=${Math.max(after, 0)}`),
    save: async (edits) => (await post<{ results: ResultJson[] }>(editsUrl, { edits })).results,
  };
}

/** Counts and areas by class value, of all samples. */
export async function totalsOf(layerUrl: string): Promise<ReadonlyMap<number | null, Total>> {
  const { classes } = await get<{ classes: { value: number | null; count: number; area_m2: number; length_m: number; points: number }[] }>(`${layerUrl}statistics`);
  return new Map(classes.map(({ value, count, area_m2, length_m, points }) => [value, { count, areaM2: area_m2, lengthM: length_m, points }]));
}

/** Have the server find an outline in the imagery: of the region like a place, or of the object in a box. Degrees. */
export function assistOf(labelSet: Id): (tool: "wand" | "object", points: readonly Position[], tolerance: number) => Promise<Geometry> {
  return async (tool, points, tolerance) => {
    const [[x1, y1] = [0, 0], [x2, y2] = [0, 0]] = points;
    const box = { tool: "box", west: Math.min(x1, x2), south: Math.min(y1, y2), east: Math.max(x1, x2), north: Math.max(y1, y2) };
    const body = tool === "wand" ? { tool, lon: x1, lat: y1, tolerance } : box;
    return (await post<{ geometry: Geometry }>(`/api/label-sets/${labelSet}/assist`, body)).geometry;
  };
}
