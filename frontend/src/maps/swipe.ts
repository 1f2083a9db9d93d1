// The swipe: of two layers, one is drawn left of a divider, the other right of it.
import type { LayerRow } from "./types";
import { sourceOf } from "./types";

export interface Compare {
  mode: "swipe" | "side";
  /** Ids of imagery or feature layers. */
  left: string;
  right: string;
  /** Where the divider stands, 0 to 1. */
  at: number;
}

/** The comparison as far as the map has its layers; null where one is gone. */
export function fitting(compare: Compare | null | undefined, rows: readonly LayerRow[]): Compare | null {
  const has = (id: string): boolean => rows.some((row) => sourceOf(row).id === id);
  return compare && has(compare.left) && has(compare.right) ? compare : null;
}
