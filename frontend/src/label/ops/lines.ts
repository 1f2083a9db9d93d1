// Where a drawn line meets a ring, and what becomes of both. Degrees; what meets within SAME meets.

import { nearestOnSegment, distance, round } from "../geometry";
import type { Position } from "../types";

/** Degrees: two tenths of a millimetre. Positions are kept to a tenth. */
export const SAME = 2e-9;

/** A place where a line and a ring meet. */
export interface Crossing {
  readonly place: Position;
  /** Along the line: index of its segment and the part of it. */
  readonly along: number;
  /** Along the ring, in the same way. */
  readonly around: number;
}

export function near(a: Position, b: Position): boolean {
  return Math.abs(a[0] - b[0]) <= SAME && Math.abs(a[1] - b[1]) <= SAME;
}

/** Where two segments cross: the parts (0..1) of each; null where they do not, or run along each other. */
export function crossing(a: Position, b: Position, c: Position, d: Position): readonly [number, number] | null {
  const [rx, ry, sx, sy] = [b[0] - a[0], b[1] - a[1], d[0] - c[0], d[1] - c[1]];
  const cross = rx * sy - ry * sx;
  if (cross === 0) return null;
  const [qx, qy] = [c[0] - a[0], c[1] - a[1]];
  const [t, u] = [(qx * sy - qy * sx) / cross, (qx * ry - qy * rx) / cross];
  return t >= 0 && t <= 1 && u >= 0 && u <= 1 ? [t, u] : null;
}

export function between(a: Position, b: Position, t: number): Position {
  return [round(a[0] + t * (b[0] - a[0])), round(a[1] + t * (b[1] - a[1]))];
}

/** Part of the segment at which a position lies on it; null where it does not. */
export function partOn(p: Position, a: Position, b: Position): number | null {
  const foot = nearestOnSegment(p, a, b);
  if (distance(foot, p) > SAME) return null;
  const length = distance(a, b);
  return length === 0 ? 0 : distance(a, foot) / length;
}

/** Every place where the line meets the closed ring, in the order of the line. */
export function crossings(line: readonly Position[], ring: readonly Position[]): Crossing[] {
  const found: Crossing[] = [];
  const add = (place: Position, along: number, around: number): void => {
    if (!found.some((one) => near(one.place, place) && Math.abs(one.along - along) < 1e-6)) found.push({ place, along, around });
  };
  for (let i = 0; i + 1 < line.length; i++)
    for (let j = 0; j + 1 < ring.length; j++) {
      const [a, b, c, d] = [line[i], line[i + 1], ring[j], ring[j + 1]];
      if (!a || !b || !c || !d) continue;
      // Corners first: a snapped line ends on the ring, to rounding.
      for (const [k, corner] of [a, b].entries()) {
        const u = partOn(corner, c, d);
        if (u !== null) add(corner, i + k, j + u);
      }
      for (const [k, corner] of [c, d].entries()) {
        const t = partOn(corner, a, b);
        if (t !== null) add(corner, i + t, j + k);
      }
      const cut = crossing(a, b, c, d);
      if (!cut) continue;
      const place = between(c, d, cut[1]);
      if (![a, b, c, d].some((corner) => near(corner, place))) add(place, i + cut[0], j + cut[1]);
    }
  return found.sort((one, other) => one.along - other.along);
}

/** The positions with the places put between them, each at its number along them. */
export function noded(positions: readonly Position[], places: readonly { readonly at: number; readonly place: Position }[]): Position[] {
  const all = [...positions.map((place, at) => ({ at, place })), ...places].sort((a, b) => a.at - b.at);
  const result: Position[] = [];
  for (const { place } of all) {
    const last = result.at(-1);
    if (!last || !near(last, place)) result.push(place);
  }
  return result;
}
