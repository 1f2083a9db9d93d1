// Samples prepared for drawing, picking and snapping: Web Mercator 0..1, with their boxes.

import { boundsOf, contains, distance, isArea, nearestOnSegment, parts, toWorld } from "./geometry";
import type { Bounds } from "./geometry";
import type { Geometry, Id, Position, Sample } from "./types";

export interface Shape {
  /** Rings or lines as x, y, x, y … in world coordinates; rings are closed. */
  readonly parts: readonly Float64Array[];
  /** Box in world coordinates: min x, min y, max x, max y. */
  readonly box: Bounds;
  readonly area: boolean;
  /** Area of the box: the smaller of two samples under the pointer is picked. */
  readonly size: number;
}

const cache = new WeakMap<Geometry, Shape>();

/** The shape of a geometry; made once for each geometry object. */
export function shapeOf(geometry: Geometry): Shape {
  const known = cache.get(geometry);
  if (known) return known;
  const made = shapeFrom(geometry);
  cache.set(geometry, made);
  return made;
}

function shapeFrom(geometry: Geometry): Shape {
  const rings = parts(geometry).map((part) => Float64Array.from(part.flatMap((position) => toWorld(position))));
  const [west, south, east, north] = boundsOf(geometry);
  const [minX, minY] = toWorld([west, north]);
  const [maxX, maxY] = toWorld([east, south]);
  return { parts: rings, box: [minX, minY, maxX, maxY], area: isArea(geometry), size: (maxX - minX) * (maxY - minY) };
}

export function near(box: Bounds, [x, y]: Position, tolerance: number): boolean {
  return x >= box[0] - tolerance && x <= box[2] + tolerance && y >= box[1] - tolerance && y <= box[3] + tolerance;
}

function corner(part: Float64Array, i: number): Position {
  return [part[2 * i] ?? 0, part[2 * i + 1] ?? 0];
}

/** Distance of a world position to the outline. */
export function outlineDistance(shape: Shape, place: Position): number {
  let best = Infinity;
  for (const part of shape.parts) {
    const count = part.length / 2;
    if (count === 1) best = Math.min(best, distance(corner(part, 0), place));
    for (let i = 0; i + 1 < count; i++) best = Math.min(best, distance(nearestOnSegment(place, corner(part, i), corner(part, i + 1)), place));
  }
  return best;
}

/** Whether the shape lies under a world position: inside an area, or near an outline. */
export function hit(shape: Shape, place: Position, tolerance: number): boolean {
  if (!near(shape.box, place, tolerance)) return false;
  if (shape.area) {
    const inside = shape.parts.filter((part) => contains(ringOf(part), place)).length % 2 === 1;
    if (inside) return true;
  }
  return outlineDistance(shape, place) <= tolerance;
}

function ringOf(part: Float64Array): Position[] {
  return Array.from({ length: part.length / 2 }, (_, i) => corner(part, i));
}

/** The samples under a world position, the smallest first. */
export function hits(samples: Iterable<Sample>, place: Position, tolerance: number): Sample[] {
  const found: Sample[] = [];
  for (const sample of samples) if (hit(shapeOf(sample.geometry), place, tolerance)) found.push(sample);
  return found.sort((a, b) => shapeOf(a.geometry).size - shapeOf(b.geometry).size);
}

/** The samples whose boxes lie in a box of world coordinates. */
export function within(samples: Iterable<Sample>, [minX, minY, maxX, maxY]: Bounds): Id[] {
  const found: Id[] = [];
  for (const { id, geometry } of samples) {
    const { box } = shapeOf(geometry);
    if (box[0] >= minX && box[1] >= minY && box[2] <= maxX && box[3] <= maxY) found.push(id);
  }
  return found;
}

/** Where a world position snaps to: a corner before an edge; null where nothing is near. */
export function snap(samples: Iterable<Sample>, place: Position, tolerance: number, except: Id | null): Position | null {
  let [best, reach]: [Position | null, number] = [null, tolerance];
  let [edge, edgeReach]: [Position | null, number] = [null, tolerance * 0.75];
  for (const { id, geometry } of samples) {
    const shape = shapeOf(geometry);
    if (id === except || !near(shape.box, place, tolerance)) continue;
    for (const part of shape.parts)
      for (let i = 0; i < part.length / 2; i++) {
        const here = corner(part, i);
        if (distance(here, place) < reach) [best, reach] = [here, distance(here, place)];
        if (i === 0) continue;
        const foot = nearestOnSegment(place, corner(part, i - 1), here);
        if (distance(foot, place) < edgeReach) [edge, edgeReach] = [foot, distance(foot, place)];
      }
  }
  return best ?? edge;
}
