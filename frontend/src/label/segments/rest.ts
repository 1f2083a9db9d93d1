// The HTTP side of segments.

import { ApiError, get, post } from "../../ui/api";
import type { Bounds } from "../../ui/map";
import type { Geometry, Id } from "../types";
import type { BlockPlace, Chosen } from "./block";

export interface Blocks {
  /** Of the imagery: in the addresses of labels, which are kept for ever. */
  readonly version: number;
  readonly block_px: number;
  /** Metres along the side of a segment. */
  readonly size_m: number;
  readonly blocks: readonly BlockPlace[];
}

export interface SegmentRest {
  blocks(level: number, bounds: Bounds): Promise<Blocks>;
  labels(level: number, version: number, place: BlockPlace): Promise<Uint16Array>;
  union(level: number, chosen: Chosen): Promise<Geometry>;
}

export function segmentRest(labelSet: Id): SegmentRest {
  const url = `/api/label-sets/${labelSet}`;
  return {
    blocks: (level, bounds) => get<Blocks>(`${url}/segments?level=${level}&bbox=${bounds.join(",")}`),
    labels: async (level, version, { row, col }) => {
      const answer = await fetch(`${url}/segments/${level}/${row}/${col}?v=${version}`, { credentials: "same-origin" });
      if (!answer.ok || !answer.body) throw new ApiError(answer.status, "error", "The segments could not be read.", "Try again in a moment.");
      return new Uint16Array(await new Response(answer.body.pipeThrough(new DecompressionStream("deflate"))).arrayBuffer());
    },
    union: async (level, chosen) => {
      const picks = [...chosen].flatMap(([key, numbers]) => [...numbers].map((number) => [...key.split(" ").map(Number), number]));
      return (await post<{ geometry: Geometry }>(`${url}/assist`, { tool: "segments", level, picks })).geometry;
    },
  };
}
