// Pure geometry of the labeling page. Positions are [lon, lat] in degrees; "world" is Web Mercator scaled to 0..1.

import { lengthOf } from "../ui/geodesic";
import type { Geometry, Position } from "./types";

export type Ring = readonly (readonly number[])[];
export type Bounds = readonly [west: number, south: number, east: number, north: number];

export interface Validity {
  readonly valid: boolean;
  readonly reason: string;
}

const FINE: Validity = { valid: true, reason: "" };
/** Degrees: a tenth of a millimetre. The server writes 9 decimals. */
const SAME = 5e-9;
const MAX_LATITUDE = 85.051128779806604;
/** Past this many vertices the server alone checks for crossings: the check here is quadratic. */
const CHECKED_VERTICES = 1500;

export function round(value: number): number {
  return Math.round(value * 1e9) / 1e9;
}

/** Web Mercator, 0..1 from the north-west corner of the world (EPSG:3857 as web maps cut it). */
export function toWorld(position: readonly number[]): Position {
  const [lon = 0, lat = 0] = position;
  const sin = Math.sin((Math.max(Math.min(lat, MAX_LATITUDE), -MAX_LATITUDE) * Math.PI) / 180);
  return [lon / 360 + 0.5, 0.5 - Math.log((1 + sin) / (1 - sin)) / (4 * Math.PI)];
}

export function fromWorld(world: readonly number[]): Position {
  const [x = 0, y = 0] = world;
  const lat = (Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) * 180) / Math.PI;
  return [round((x - 0.5) * 360), round(lat)];
}

/** Every ring or line of the geometry, points as lines of one position. */
export function parts(geometry: Geometry): Ring[] {
  switch (geometry.type) {
    case "Point":
      return [[geometry.coordinates]];
    case "MultiPoint":
      return geometry.coordinates.map((position) => [position]);
    case "LineString":
      return [geometry.coordinates];
    case "MultiLineString":
    case "Polygon":
      return geometry.coordinates;
    case "MultiPolygon":
      return geometry.coordinates.flat();
  }
}

export function isArea(geometry: Geometry): boolean {
  return geometry.type === "Polygon" || geometry.type === "MultiPolygon";
}

export function boundsOf(geometry: Geometry): Bounds {
  let [west, south, east, north] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const part of parts(geometry))
    for (const [x = 0, y = 0] of part) {
      west = Math.min(west, x);
      east = Math.max(east, x);
      south = Math.min(south, y);
      north = Math.max(north, y);
    }
  return [west, south, east, north];
}

export function joinBounds(all: readonly Bounds[]): Bounds | null {
  if (!all.length) return null;
  return all.reduce(([w, s, e, n], b) => [Math.min(w, b[0]), Math.min(s, b[1]), Math.max(e, b[2]), Math.max(n, b[3])]);
}

export function intersects(a: Bounds, b: Bounds): boolean {
  return a[0] <= b[2] && b[0] <= a[2] && a[1] <= b[3] && b[1] <= a[3];
}

export function boxBetween(a: Position, b: Position): GeoJSON.Polygon {
  const [west, east] = [Math.min(a[0], b[0]), Math.max(a[0], b[0])].map(round) as Position;
  const [south, north] = [Math.min(a[1], b[1]), Math.max(a[1], b[1])].map(round) as Position;
  return { type: "Polygon", coordinates: [[[west, south], [east, south], [east, north], [west, north], [west, south]]] };
}

/** Counter-clockwise closed ring of the drawn positions. */
export function polygonFrom(positions: readonly Position[]): GeoJSON.Polygon {
  const open = positions.map(([x, y]): Position => [round(x), round(y)]);
  const ring = signedArea(open) < 0 ? open.reverse() : open;
  const first = ring[0];
  return { type: "Polygon", coordinates: [first ? [...ring, first] : []] };
}

/** Twice the planar area in square degrees, positive when counter-clockwise; open or closed rings. */
export function signedArea(ring: Ring): number {
  let sum = 0;
  for (let i = 0; i < ring.length; i++) {
    const [x1 = 0, y1 = 0] = ring[i] ?? [];
    const [x2 = 0, y2 = 0] = ring[(i + 1) % ring.length] ?? [];
    sum += x1 * y2 - x2 * y1;
  }
  return sum;
}

/** The length of a line on the ground, metres; of several lines together. */
export function lengthM(geometry: Geometry): number {
  return parts(geometry).reduce((sum, line) => sum + lengthOf(line.map(([lon = 0, lat = 0]): [number, number] => [lon, lat])), 0);
}

/** Area in square metres on the sphere of radius 6371008.8 m (Chamberlain and Duquette 2007, JPL 07-03). */
export function areaM2(geometry: Geometry): number {
  if (geometry.type === "Polygon") return polygonAreaM2(geometry.coordinates);
  if (geometry.type === "MultiPolygon") return geometry.coordinates.reduce((sum, rings) => sum + polygonAreaM2(rings), 0);
  return 0;
}

function polygonAreaM2(rings: readonly Ring[]): number {
  return rings.reduce((sum, ring, i) => sum + (i === 0 ? 1 : -1) * ringAreaM2(ring), 0);
}

function ringAreaM2(ring: Ring): number {
  const radians = Math.PI / 180;
  let sum = 0;
  for (let i = 0; i < ring.length; i++) {
    const [lon1 = 0, lat1 = 0] = ring[i] ?? [];
    const [lon2 = 0, lat2 = 0] = ring[(i + 1) % ring.length] ?? [];
    sum += (lon2 - lon1) * radians * (2 + Math.sin(lat1 * radians) + Math.sin(lat2 * radians));
  }
  return Math.abs((sum * 6371008.8 ** 2) / 2);
}

/** An axis-aligned rectangle, as the box tool draws it: its corners move as a box. */
export function isBox(geometry: Geometry): boolean {
  if (geometry.type !== "Polygon" || geometry.coordinates.length !== 1) return false;
  const ring = geometry.coordinates[0] ?? [];
  if (ring.length !== 5) return false;
  const xs = new Set(ring.map(([x = 0]) => round(x)));
  const ys = new Set(ring.map(([, y = 0]) => round(y)));
  const turns = ring.slice(1).every((p, i) => (round(p[0] ?? 0) === round(ring[i]?.[0] ?? 0)) !== (round(p[1] ?? 0) === round(ring[i]?.[1] ?? 0)));
  return xs.size === 2 && ys.size === 2 && turns;
}

export function contains(ring: Ring, [x, y]: Position): boolean {
  let inside = false;
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
    const [xi = 0, yi = 0] = ring[i] ?? [];
    const [xj = 0, yj = 0] = ring[j] ?? [];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
  }
  return inside;
}

/** Whether an area holds the position, holes left out. */
export function covers(geometry: Geometry, position: Position): boolean {
  const rings = isArea(geometry) ? parts(geometry) : [];
  return rings.filter((ring) => contains(ring, position)).length % 2 === 1;
}

/** The position on the segment a-b nearest to p, all in the same planar unit. */
export function nearestOnSegment(p: Position, a: Position, b: Position): Position {
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  const length2 = dx * dx + dy * dy;
  const t = length2 === 0 ? 0 : Math.max(0, Math.min(1, ((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / length2));
  return [a[0] + t * dx, a[1] + t * dy];
}

export function distance(a: Position, b: Position): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}

/** Whether two geometries are the same shape: rings may start elsewhere or run the other way. */
export function sameGeometry(a: Geometry, b: Geometry): boolean {
  if (a === b) return true;
  const [pa, pb] = [parts(a), parts(b)];
  if (a.type !== b.type || pa.length !== pb.length) return false;
  return pa.every((part, i) => samePart(part, pb[i] ?? [], isArea(a)));
}

function samePosition(a: readonly number[] | undefined, b: readonly number[] | undefined): boolean {
  return !!a && !!b && Math.abs((a[0] ?? 0) - (b[0] ?? 0)) <= SAME && Math.abs((a[1] ?? 0) - (b[1] ?? 0)) <= SAME;
}

function samePart(a: Ring, b: Ring, closed: boolean): boolean {
  if (a.length !== b.length) return false;
  if (a.every((position, i) => samePosition(position, b[i]))) return true;
  const n = a.length - 1;
  if (!closed || n < 1) return false;
  for (let start = 0; start < n; start++) {
    if (!samePosition(a[0], b[start])) continue;
    const forward = a.slice(0, n).every((position, i) => samePosition(position, b[(start + i) % n]));
    const backward = a.slice(0, n).every((position, i) => samePosition(position, b[(start - i + n) % n]));
    if (forward || backward) return true;
  }
  return false;
}

function cross(o: readonly number[], a: readonly number[], b: readonly number[]): number {
  const [ox = 0, oy = 0] = o;
  return ((a[0] ?? 0) - ox) * ((b[1] ?? 0) - oy) - ((a[1] ?? 0) - oy) * ((b[0] ?? 0) - ox);
}

function onSegment(a: readonly number[], b: readonly number[], p: readonly number[]): boolean {
  const [px = 0, py = 0] = p;
  return (
    Math.min(a[0] ?? 0, b[0] ?? 0) <= px && px <= Math.max(a[0] ?? 0, b[0] ?? 0) &&
    Math.min(a[1] ?? 0, b[1] ?? 0) <= py && py <= Math.max(a[1] ?? 0, b[1] ?? 0)
  );
}

function segmentsMeet(a: readonly number[], b: readonly number[], c: readonly number[], d: readonly number[]): boolean {
  const [d1, d2, d3, d4] = [cross(c, d, a), cross(c, d, b), cross(a, b, c), cross(a, b, d)];
  if (d1 > 0 !== d2 > 0 && d3 > 0 !== d4 > 0 && d1 !== 0 && d2 !== 0 && d3 !== 0 && d4 !== 0) return true;
  return (d1 === 0 && onSegment(c, d, a)) || (d2 === 0 && onSegment(c, d, b)) || (d3 === 0 && onSegment(a, b, c)) || (d4 === 0 && onSegment(a, b, d));
}

function crossesItself(ring: Ring): boolean {
  const n = ring.length - 1;
  for (let i = 0; i < n; i++)
    for (let j = i + 1; j < n; j++) {
      const neighbours = j === i + 1 || (i === 0 && j === n - 1);
      const [a, b, c, d] = [ring[i], ring[i + 1], ring[j], ring[j + 1]];
      if (!a || !b || !c || !d) continue;
      if (!neighbours && segmentsMeet(a, b, c, d)) return true;
      // Neighbours share one end; a spike folds the second back onto the first.
      if (neighbours && cross(a, b, c === b ? d : c) === 0 && foldsBack(a, b, c, d)) return true;
    }
  return false;
}

function foldsBack(a: readonly number[], b: readonly number[], c: readonly number[], d: readonly number[]): boolean {
  const [shared, p, q] = samePosition(b, c) ? [b, a, d] : [a, b, c];
  if (cross(shared, p, q) !== 0) return false;
  const [sx = 0, sy = 0] = shared;
  return ((p[0] ?? 0) - sx) * ((q[0] ?? 0) - sx) + ((p[1] ?? 0) - sy) * ((q[1] ?? 0) - sy) > 0;
}

/** Whether the server would take the geometry, and if not, what a person should do. */
export function validity(geometry: Geometry): Validity {
  const all = parts(geometry);
  if (all.some((part) => part.some(([x = NaN, y = NaN]) => !Number.isFinite(x) || !Number.isFinite(y))))
    return { valid: false, reason: "A position is not a number." };
  const [west, south, east, north] = boundsOf(geometry);
  if (west < -180 || east > 180 || south < -90 || north > 90) return { valid: false, reason: "It reaches over the edge of the world map." };
  if (!isArea(geometry)) return FINE;
  for (const ring of all) {
    const distinct = new Set(ring.map(([x = 0, y = 0]) => `${round(x)} ${round(y)}`));
    if (distinct.size < 3) return { valid: false, reason: "A polygon needs at least three different corners." };
    const [a = [], b = []] = ring;
    if (ring.every((p) => Math.abs(cross(a, b, p)) < 1e-18)) return { valid: false, reason: "The shape has no area. Draw it larger." };
    if (ring.length <= CHECKED_VERTICES && crossesItself(ring)) return { valid: false, reason: "The outline crosses itself. Move a corner." };
  }
  return FINE;
}

/** The geometry with every position changed by `change`, rounded to what the server keeps. */
export function mapPositions<G extends Geometry>(geometry: G, change: (position: Position) => Position): G {
  const walk = (value: unknown): unknown => {
    if (!Array.isArray(value)) return value;
    if (typeof value[0] !== "number") return value.map(walk);
    const [x, y] = change([value[0], Number(value[1])]);
    return [round(x), round(y)];
  };
  return { type: geometry.type, coordinates: walk(geometry.coordinates) } as G;
}

/** The geometry moved by a difference in world coordinates, so that its shape on the map stays. */
export function moveBy<G extends Geometry>(geometry: G, [dx, dy]: Position): G {
  return mapPositions(geometry, (position) => {
    const [x, y] = toWorld(position);
    return fromWorld([x + dx, y + dy]);
  });
}

// --- vertices ------------------------------------------------------------------------------------

/** One corner of a geometry: which ring (in the order of `parts`) and which position in it. */
export interface Vertex {
  readonly part: number;
  readonly index: number;
}

/** The geometry's rings as open lists, closing positions left out. */
export function openParts(geometry: Geometry): Position[][] {
  return parts(geometry).map((part) => {
    const open = isArea(geometry) ? part.slice(0, -1) : part;
    return open.map(([x = 0, y = 0]): Position => [x, y]);
  });
}

function withPart<G extends Geometry>(geometry: G, part: number, positions: readonly Position[]): G {
  const closed = isArea(geometry) && positions[0] ? [...positions, positions[0]] : [...positions];
  const ring = closed.map(([x, y]): Position => [round(x), round(y)]);
  let seen = -1;
  const walk = (value: unknown): unknown => {
    if (!Array.isArray(value)) return value;
    const isRing = Array.isArray(value[0]) && typeof value[0][0] === "number";
    if (isRing && geometry.type !== "MultiPoint") return ++seen === part ? ring : value;
    if (typeof value[0] === "number") return ++seen === part ? ring[0] : value;
    return value.map(walk);
  };
  return { type: geometry.type, coordinates: walk(geometry.coordinates) } as G;
}

export function moveVertex<G extends Geometry>(geometry: G, vertex: Vertex, to: Position): G {
  const open = openParts(geometry)[vertex.part] ?? [];
  return withPart(geometry, vertex.part, open.map((position, i) => (i === vertex.index ? to : position)));
}

/** Inserts a corner after `vertex`. */
export function insertVertex<G extends Geometry>(geometry: G, vertex: Vertex, at: Position): G {
  const open = openParts(geometry)[vertex.part] ?? [];
  return withPart(geometry, vertex.part, [...open.slice(0, vertex.index + 1), at, ...open.slice(vertex.index + 1)]);
}

/** The geometry without the corner, or null where too few would be left. */
export function removeVertex<G extends Geometry>(geometry: G, vertex: Vertex): G | null {
  const open = openParts(geometry)[vertex.part] ?? [];
  if (open.length <= (isArea(geometry) ? 3 : 2)) return null;
  return withPart(geometry, vertex.part, open.filter((_, i) => i !== vertex.index));
}

/** A box with one corner moved and the opposite one fixed. */
export function moveBoxCorner(geometry: Geometry, vertex: Vertex, to: Position): GeoJSON.Polygon {
  const open = openParts(geometry)[0] ?? [];
  const opposite = open[(vertex.index + 2) % 4] ?? to;
  return boxBetween(opposite, to);
}

/** Half-way between a corner and its successor, on the map (not in degrees). */
export function midpoint(a: Position, b: Position): Position {
  const [wa, wb] = [toWorld(a), toWorld(b)];
  return fromWorld([(wa[0] + wb[0]) / 2, (wa[1] + wb[1]) / 2]);
}
