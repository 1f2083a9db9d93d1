// Which tile of the data stands behind a tile of the map, and where it lies on its canvas.
import type { Frame } from "./vector-paint";
import type { DecodedTile } from "./vector-tile";

/** Key of the data of a tile of the map: z/x/y, at most `deepest` deep, the world seen once. */
export function keyOf({ x, y, z }: { x: number; y: number; z: number }, deepest: number): string {
  const up = Math.max(0, z - deepest);
  const n = 2 ** (z - up);
  const column = x >> up;
  return `${z - up}/${((column % n) + n) % n}/${y >> up}`;
}

/** z, x, y of a key. */
export function placeOf(key: string): [number, number, number] {
  return key.split("/").map(Number) as [number, number, number];
}

/** Where the data lies on a tile's canvas: one deeper than its data shows a part of it, enlarged. */
export function frameOf({ width, height }: HTMLCanvasElement, { x, y, z }: { x: number; y: number; z: number }, deepest: number, tile: DecodedTile): Frame {
  const parts = 2 ** Math.max(0, z - deepest);
  const scale = (width * parts) / tile.extent;
  const left = (((x % parts) + parts) % parts) * width;
  return { width, height, scale, left, top: (y % parts) * height, pixel: (window.devicePixelRatio || 1) / scale };
}
