// Borders that neighbours share: followed while drawing, and moved together.

import { distance, moveVertex, nearestOnSegment, openParts, sameGeometry, toWorld } from "../geometry";
import { near as nearBox, shapeOf } from "../shapes";
import type { Geometry, Id, Position, Sample } from "../types";
import { movedCorners } from "./figures";
import { near } from "./lines";

/** World units: a hundredth of a millimetre at the equator. A snapped place lies on the outline to rounding. */
const ON = 1e-11;

/**
 * The corners of a neighbour's outline between two places on it, in the order of the way; null where no neighbour has
 * both. World coordinates. The shorter way is taken.
 */
export function followed(samples: Iterable<Sample>, from: Position, to: Position): Position[] | null {
  for (const { geometry } of samples) {
    const shape = shapeOf(geometry);
    if (!nearBox(shape.box, from, ON) || !nearBox(shape.box, to, ON)) continue;
    for (const part of openParts(geometry)) {
      const way = wayAlong(part.map(toWorld), shape.area, from, to);
      if (way) return way;
    }
  }
  return null;
}

function wayAlong(part: readonly Position[], closed: boolean, from: Position, to: Position): Position[] | null {
  const [a, b] = [numberOn(part, closed, from), numberOn(part, closed, to)];
  if (a === null || b === null || a === b) return null;
  const n = part.length;
  const forward = cornersBetween(part, a, b <= a && closed ? b + n : b);
  if (!closed) return b > a ? forward : cornersBetween(part, b, a).reverse();
  const backward = cornersBetween(part, b, a <= b ? a + n : a).reverse();
  const length = (way: readonly Position[]): number => [from, ...way, to].reduce((sum, p, i, all) => sum + (i ? distance(p, all[i - 1] ?? p) : 0), 0);
  return length(forward) <= length(backward) ? forward : backward;
}

function cornersBetween(part: readonly Position[], from: number, to: number): Position[] {
  const found: Position[] = [];
  for (let i = Math.floor(from) + 1; i < to; i++) {
    const corner = part[i % part.length];
    if (corner) found.push(corner);
  }
  return found;
}

/** Where along a ring or line a place lies: number of the corner before it and the part of the way to the next. */
function numberOn(part: readonly Position[], closed: boolean, place: Position): number | null {
  const edges = closed ? part.length : part.length - 1;
  for (let i = 0; i < edges; i++) {
    const [a, b] = [part[i], part[(i + 1) % part.length]];
    if (!a || !b) continue;
    const foot = nearestOnSegment(place, a, b);
    if (distance(foot, place) > ON) continue;
    const length = distance(a, b);
    const share = length === 0 ? 0 : distance(a, foot) / length;
    return share >= 1 - 1e-9 ? (i + 1) % part.length : i + share;
  }
  return null;
}

/** The neighbours whose corners lay where moved corners of a sample were, with theirs moved along. */
export function movedAlong(samples: Iterable<Sample>, id: Id, before: Geometry, after: Geometry): { readonly sample: Sample; readonly geometry: Geometry }[] {
  const moved = movedCorners(before, after);
  if (!moved.length) return [];
  const found: { sample: Sample; geometry: Geometry }[] = [];
  for (const sample of samples) {
    const box = shapeOf(sample.geometry).box;
    if (sample.id === id || !moved.some(({ from }) => nearBox(box, toWorld(from), 1e-9))) continue;
    let { geometry } = sample;
    openParts(sample.geometry).forEach((part, p) =>
      part.forEach((corner, index) => {
        const pull = moved.find(({ from }) => near(from, corner));
        if (pull) geometry = moveVertex(geometry, { part: p, index }, pull.to);
      }),
    );
    if (!sameGeometry(geometry, sample.geometry)) found.push({ sample, geometry });
  }
  return found;
}
