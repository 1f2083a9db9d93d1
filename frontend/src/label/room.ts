// How much of the map is free to show something in. Pure.

/** Pixels kept free around what is shown. */
export const EDGE_PX = 80;
const LEAST_PX = 60;

/** Pixels to leave free at the map's lower edge, where a card of some height covers it. */
export function roomBelow(height: number, card: number): number {
  return Math.max(EDGE_PX, Math.min(card && card + EDGE_PX / 2, height - EDGE_PX - LEAST_PX));
}
