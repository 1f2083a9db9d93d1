// The HTTP side of a layer.

import { get, post } from "../ui/api";
import type { Total } from "./app";
import type { Rest } from "./sync";
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
  const { classes } = await get<{ classes: { value: number | null; count: number; area_m2: number }[] }>(`${layerUrl}statistics`);
  return new Map(classes.map(({ value, count, area_m2 }) => [value, { count, areaM2: area_m2 }]));
}
