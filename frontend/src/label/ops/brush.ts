// What a round brush covers on its way.

import { distance, fromWorld } from "../geometry";
import type { Position } from "../types";
import { areaOf } from "./clip";
import type { Area } from "./clip";
import { overlay } from "./overlay";
import { simplifiedPath } from "./simplify";

const ROUND_CORNERS = 14;

/** The area within `radius` of a path, both in world coordinates; ends and bends are round. */
export function strokeOf(path: readonly Position[], radius: number): Area | null {
  // A twelfth of the radius is less than the eye tells from the brush's own edge.
  const points = simplifiedPath(path, radius / 12);
  const [first] = points;
  if (!first) return null;
  const pieces = points.length === 1 ? [capsule(first, first, radius)] : points.slice(1).map((b, i) => capsule(points[i] ?? b, b, radius));
  return areaOf(overlay(pieces.map((ring) => [[ring.map(fromWorld)]]), (covered) => covered.includes(true)));
}

/** The closed outline of all that lies within `radius` of a segment. */
function capsule(a: Position, b: Position, radius: number): Position[] {
  const along = distance(a, b) === 0 ? 0 : Math.atan2(b[1] - a[1], b[0] - a[0]);
  const half = ROUND_CORNERS / 2;
  const arc = (centre: Position, from: number): Position[] =>
    Array.from({ length: half + 1 }, (_, i) => {
      const angle = from + (Math.PI * i) / half;
      return [centre[0] + radius * Math.cos(angle), centre[1] + radius * Math.sin(angle)];
    });
  const ring = [...arc(b, along - Math.PI / 2), ...arc(a, along + Math.PI / 2)];
  const [first] = ring;
  return first ? [...ring, first] : [];
}
