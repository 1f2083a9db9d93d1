// Fewer corners, and square ones. World coordinates inside: the map keeps angles.

import { distance, fromWorld, isArea, nearestOnSegment, openParts, signedArea, toWorld } from "../geometry";
import type { Geometry, Position } from "../types";

/** The path without corners that lie within `tolerance` of it (Douglas and Peucker 1973). */
export function simplifiedPath(points: readonly Position[], tolerance: number): Position[] {
  if (points.length < 3) return [...points];
  const keep = new Set([0, points.length - 1]);
  const open: [number, number][] = [[0, points.length - 1]];
  for (let range = open.pop(); range; range = open.pop()) {
    const [from, to] = range;
    const [a, b] = [points[from], points[to]];
    let [far, reach] = [-1, tolerance];
    for (let i = from + 1; i < to; i++) {
      const p = points[i];
      const apart = p && a && b ? distance(p, nearestOnSegment(p, a, b)) : 0;
      if (apart > reach) [far, reach] = [i, apart];
    }
    if (far < 0) continue;
    keep.add(far);
    open.push([from, far], [far, to]);
  }
  return points.filter((_, i) => keep.has(i));
}

/** An open ring with fewer corners: simplified in two halves between the corners farthest apart from the first one. */
function simplifiedRing(ring: readonly Position[], tolerance: number): Position[] {
  const [first] = ring;
  if (!first || ring.length < 5) return [...ring];
  const far = ring.reduce((best, p, i) => (distance(p, first) > distance(ring[best] ?? first, first) ? i : best), 0);
  const there = simplifiedPath(ring.slice(0, far + 1), tolerance);
  const back = simplifiedPath([...ring.slice(far), first], tolerance);
  const made = [...there, ...back.slice(1, -1)];
  return made.length < 3 ? [...ring] : made;
}

/** The geometry with fewer corners; `tolerance` in world units. The same object where none can go. */
export function simplified<G extends Geometry>(geometry: G, tolerance: number): G {
  if (geometry.type === "Point" || geometry.type === "MultiPoint") return geometry;
  const area = isArea(geometry);
  const made = openParts(geometry).map((part) => {
    const world = part.map(toWorld);
    return (area ? simplifiedRing(world, tolerance) : simplifiedPath(world, tolerance)).map(fromWorld);
  });
  const fewer = made.some((part, i) => part.length < (openParts(geometry)[i]?.length ?? 0));
  return fewer ? withParts(geometry, made) : geometry;
}

/** Edges that run farther than this from both axes stay as they are. */
const SQUARED_DEGREES = 30;

/**
 * The geometry with right angles where they are nearly right: edges near the main direction or across it are laid
 * along it. The same object where it has no such edges.
 */
export function squared<G extends Geometry>(geometry: G): G {
  if (!isArea(geometry)) return geometry;
  const rings = openParts(geometry).map((part) => part.map(toWorld));
  const [outer] = rings;
  if (!outer || outer.length < 4) return geometry;
  const angle = mainDirection(outer);
  return withParts(geometry, rings.map((ring) => squaredRing(ring, angle).map(fromWorld)));
}

/** Direction (0..90°, radians) in which the most length runs, along or across. */
function mainDirection(ring: readonly Position[]): number {
  let [x, y] = [0, 0];
  ring.forEach((a, i) => {
    const b = ring[(i + 1) % ring.length] ?? a;
    const [length, four] = [distance(a, b), 4 * Math.atan2(b[1] - a[1], b[0] - a[0])];
    // Long edges speak louder: square of the length, as the mean of directions modulo 90 degrees.
    x += length ** 2 * Math.cos(four);
    y += length ** 2 * Math.sin(four);
  });
  return Math.atan2(y, x) / 4;
}

type Axis = "x" | "y" | null;

function squaredRing(ring: readonly Position[], angle: number): Position[] {
  const n = ring.length;
  if (n < 4) return [...ring];
  const [origin = [0, 0] as Position] = ring;
  const [sin, cos] = [Math.sin(angle), Math.cos(angle)];
  const local = ring.map(([x, y]): Position => {
    const [dx, dy] = [x - origin[0], y - origin[1]];
    return [dx * cos + dy * sin, -dx * sin + dy * cos];
  });
  const axes = local.map((a, i) => axisOf(a, local[(i + 1) % n] ?? a));
  const made = local.map(([x, y]): [number, number] => [x, y]);
  // A run of edges along one axis shares the other coordinate: the mean, weighted by length.
  for (const run of runsOf(axes)) {
    const across = run.axis === "x" ? 1 : 0;
    let [sum, weight] = [0, 0];
    for (const i of run.edges) {
      const [a, b] = [local[i], local[(i + 1) % n]];
      if (!a || !b) continue;
      const length = distance(a, b);
      sum += (length * (a[across] + b[across])) / 2;
      weight += length;
    }
    for (const i of run.edges) for (const corner of [made[i], made[(i + 1) % n]]) if (corner && weight > 0) corner[across] = sum / weight;
  }
  return made.map(([x, y]): Position => [origin[0] + x * cos - y * sin, origin[1] + x * sin + y * cos]);
}

function axisOf(a: Position, b: Position): Axis {
  const degrees = Math.abs((Math.atan2(b[1] - a[1], b[0] - a[0]) * 180) / Math.PI);
  if (Math.min(degrees, 180 - degrees) <= SQUARED_DEGREES) return "x";
  return Math.abs(degrees - 90) <= SQUARED_DEGREES ? "y" : null;
}

function runsOf(axes: readonly Axis[]): { axis: Axis; edges: number[] }[] {
  const n = axes.length;
  // Begin where a run begins, so that none is cut in two by the ring's start.
  const start = axes.findIndex((axis, i) => axis !== axes[(i + n - 1) % n]);
  const runs: { axis: Axis; edges: number[] }[] = [];
  for (let k = 0; k < n; k++) {
    const i = (Math.max(start, 0) + k) % n;
    const axis = axes[i] ?? null;
    const last = runs.at(-1);
    if (last && last.axis === axis) last.edges.push(i);
    else runs.push({ axis, edges: [i] });
  }
  return runs.filter(({ axis }) => axis !== null);
}

/** The geometry with its rings or lines (open, in the order of `openParts`) replaced. */
function withParts<G extends Geometry>(geometry: G, made: readonly (readonly Position[])[]): G {
  let at = 0;
  const next = (): Position[] => {
    const part = made[at++] ?? [];
    const [first] = part;
    return isArea(geometry) && first ? [...part, first] : [...part];
  };
  switch (geometry.type) {
    case "LineString":
      return { ...geometry, coordinates: next() };
    case "MultiLineString":
    case "Polygon":
      return { ...geometry, coordinates: geometry.coordinates.map(next) };
    case "MultiPolygon":
      return { ...geometry, coordinates: geometry.coordinates.map((rings) => rings.map(next)) };
    default:
      return geometry;
  }
}

/** Whether the ring encloses anything to speak of, in world units squared. */
export function encloses(points: readonly Position[], least: number): boolean {
  return Math.abs(signedArea(points)) / 2 >= least;
}
