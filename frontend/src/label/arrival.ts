// A link to one sample: `?sample=<id>&at=west,south,east,north`, as the samples manager writes it. Pure.

import type { Bounds } from "./geometry";
import type { Id } from "./types";

export interface Arrival {
  readonly id: Id;
  readonly bounds: Bounds;
}

/** Which sample a link names, and where it lies; null where it names none. */
export function arrivalOf(search: string): Arrival | null {
  const words = new URLSearchParams(search);
  const id = words.get("sample");
  const [west, south, east, north, ...rest] = (words.get("at") ?? "").split(",").map(Number);
  if (!id || west === undefined || south === undefined || east === undefined || north === undefined || rest.length) return null;
  return [west, south, east, north].every(Number.isFinite) && west <= east && south <= north ? { id, bounds: [west, south, east, north] } : null;
}
