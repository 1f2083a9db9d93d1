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

/** Cut a layer's element to one side of the divider; null shows it whole. Its own coordinates are Leaflet's layer points. */
export function clip(map: L.Map, element: HTMLElement, side: "left" | "right" | null, at: number): void {
  if (side === null) {
    element.style.clipPath = "";
    return;
  }
  const size = map.getSize();
  const corner = map.containerPointToLayerPoint([0, 0]);
  const divider = corner.x + size.x * at;
  const [west, east] = side === "left" ? [corner.x - size.x, divider] : [divider, corner.x + 2 * size.x];
  const [north, south] = [corner.y - size.y, corner.y + 2 * size.y];
  element.style.clipPath = `polygon(${west}px ${north}px, ${east}px ${north}px, ${east}px ${south}px, ${west}px ${south}px)`;
}
