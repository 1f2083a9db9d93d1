// A vector tile as flat arrays: made in the worker, drawn and searched on the page. Knows no DOM, map or network.
import { VectorTile } from "@mapbox/vector-tile";
import Pbf from "pbf";
import { columnBuffers, packed } from "./vector-columns";
import type { Columns, Value } from "./vector-columns";

/** west, south, east, north in degrees. */
export type Bounds = readonly [number, number, number, number];

/** Feature i has the rings ringStart[i] … ringStart[i+1], ring r the points pointStart[r] … pointStart[r+1]. */
export interface Shapes {
  /** Units along an edge of the tile; points lie in these units, a little outside for the buffer. */
  extent: number;
  count: number;
  /** 1 point, 2 line, 3 polygon. */
  types: Uint8Array;
  /** 1: a square that stands for the many features within it. */
  cells: Uint8Array;
  ringStart: Uint32Array;
  pointStart: Uint32Array;
  /** x, y of every point. */
  points: Int32Array;
}

/** One decoded tile. */
export interface DecodedTile extends Shapes {
  /** Class value; -1 for none. */
  classes: Int32Array;
  /** x0, y0, x1, y1 of each feature. */
  boxes: Int32Array;
  columns: Columns;
}

/** Where the class of a feature is written. */
export const CLASS_PROPERTY = "class_value";

/** Return the features of all layers of a tile; null for an empty one. */
export function decode(buffer: ArrayBuffer): DecodedTile | null {
  const layers = Object.values(new VectorTile(new Pbf(new Uint8Array(buffer))).layers);
  const count = layers.reduce((sum, layer) => sum + layer.length, 0);
  const extent = layers[0]?.extent;
  if (count === 0 || extent === undefined) return null;
  const types = new Uint8Array(count);
  const cells = new Uint8Array(count);
  const classes = new Int32Array(count);
  const boxes = new Int32Array(count * 4);
  const ringStart = new Uint32Array(count + 1);
  const pointStart: number[] = [0];
  const points: number[] = [];
  const values = new Map<string, (Value | undefined)[]>();
  let index = 0;
  for (const layer of layers) {
    for (let i = 0; i < layer.length; i++, index++) {
      const feature = layer.feature(i);
      let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
      for (const ring of feature.loadGeometry()) {
        for (const { x, y } of ring) {
          points.push(x, y);
          if (x < x0) x0 = x;
          if (x > x1) x1 = x;
          if (y < y0) y0 = y;
          if (y > y1) y1 = y;
        }
        pointStart.push(points.length / 2);
      }
      types[index] = feature.type;
      const value = feature.properties[CLASS_PROPERTY];
      classes[index] = typeof value === "number" ? value : -1;
      boxes.set([x0, y0, x1, y1], index * 4);
      ringStart[index + 1] = pointStart.length - 1;
      cells[index] = feature.properties["count"] === undefined ? 0 : 1;
      const properties = feature.id === undefined ? feature.properties : { fid: feature.id, ...feature.properties };
      for (const [name, property] of Object.entries(properties)) {
        let column = values.get(name);
        if (!column) values.set(name, (column = new Array<Value | undefined>(count).fill(undefined)));
        column[index] = property;
      }
    }
  }
  return {
    extent,
    count,
    types,
    cells,
    classes,
    boxes,
    ringStart,
    pointStart: Uint32Array.from(pointStart),
    points: Int32Array.from(points),
    columns: new Map([...values].map(([name, column]) => [name, packed(column)])),
  };
}

/** The arrays that go to the page without a copy. */
export function buffersOf(tile: DecodedTile): ArrayBuffer[] {
  const own = [tile.types, tile.cells, tile.classes, tile.boxes, tile.ringStart, tile.pointStart, tile.points];
  return [...own.map((array) => array.buffer as ArrayBuffer), ...columnBuffers(tile.columns)];
}

function at(array: { readonly [index: number]: number }, index: number): number {
  return array[index] ?? 0;
}

function inRing(tile: DecodedTile, ring: number, x: number, y: number): boolean {
  const [from, to] = [at(tile.pointStart, ring), at(tile.pointStart, ring + 1)];
  let inside = false;
  for (let i = from, j = to - 1; i < to; j = i++) {
    const [xi, yi] = [at(tile.points, 2 * i), at(tile.points, 2 * i + 1)];
    const [xj, yj] = [at(tile.points, 2 * j), at(tile.points, 2 * j + 1)];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
  }
  return inside;
}

function squareDistance(x: number, y: number, ax: number, ay: number, bx: number, by: number): number {
  const [dx, dy] = [bx - ax, by - ay];
  const length = dx * dx + dy * dy;
  const t = length === 0 ? 0 : Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / length));
  return (x - ax - t * dx) ** 2 + (y - ay - t * dy) ** 2;
}

function nearRing(tile: DecodedTile, ring: number, x: number, y: number, tolerance: number): boolean {
  const [from, to] = [at(tile.pointStart, ring), at(tile.pointStart, ring + 1)];
  for (let i = from; i < to; i++) {
    const j = Math.min(i + 1, to - 1);
    const [ax, ay, bx, by] = [2 * i, 2 * i + 1, 2 * j, 2 * j + 1].map((k) => at(tile.points, k)) as [number, number, number, number];
    if (squareDistance(x, y, ax, ay, bx, by) <= tolerance * tolerance) return true;
  }
  return false;
}

function hits(tile: DecodedTile, feature: number, x: number, y: number, tolerance: number): boolean {
  const box = feature * 4;
  if (x < at(tile.boxes, box) - tolerance || x > at(tile.boxes, box + 2) + tolerance) return false;
  if (y < at(tile.boxes, box + 1) - tolerance || y > at(tile.boxes, box + 3) + tolerance) return false;
  let inside = false;
  for (let ring = at(tile.ringStart, feature); ring < at(tile.ringStart, feature + 1); ring++) {
    if (tile.types[feature] === 3 && inRing(tile, ring, x, y)) inside = !inside;
    if (nearRing(tile, ring, x, y, tolerance)) return true;
  }
  return inside;
}

/** Return the features at a point of the tile (in its units), the one drawn last first. */
export function featuresAt(tile: DecodedTile, x: number, y: number, tolerance: number): number[] {
  const found: number[] = [];
  for (let feature = tile.count - 1; feature >= 0; feature--) {
    // Cells stand side by side: one of them is meant, not its neighbours.
    const near = tile.cells[feature] === 1 ? 0 : tolerance;
    if (hits(tile, feature, x, y, near)) found.push(feature);
  }
  return found;
}

/** Return whether a tile touches bounds, with a margin for its buffer. */
export function tileTouches(z: number, x: number, y: number, bounds: Bounds): boolean {
  const n = 2 ** z;
  const lon = (column: number): number => (column / n) * 360 - 180;
  const lat = (row: number): number => (Math.atan(Math.sinh(Math.PI * (1 - (2 * row) / n))) * 180) / Math.PI;
  const [west, south, east, north] = bounds;
  return lon(x + 1.07) >= west && lon(x - 0.07) <= east && lat(y - 0.07) >= south && lat(y + 1.07) <= north;
}
