// The HTTP side of a layer.

import { get, post } from "../ui/api";
import type { Rest } from "./sync";
import type { CollectionJson, EditRowJson, ResultJson } from "./wire";

/** Calls below the layer's own URL ("/api/layers/<id>/"). */
export function restOf(layerUrl: string): Rest {
  return {
    samples: (bounds, limit) => get<CollectionJson>(`${layerUrl}features?limit=${limit}${bounds ? `&bbox=${bounds.join(",")}` : ""}`),
    log: (after) => get<{ edits: EditRowJson[]; seq: number; resync: boolean }>(`${layerUrl}edits?after=${Math.max(after, 0)}`),
    save: async (edits) => (await post<{ results: ResultJson[] }>(`${layerUrl}edits`, { edits })).results,
  };
}
