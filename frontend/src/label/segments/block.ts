// One square of segments, as the server finds them in the imagery's own pixels. Pure.

import { toWorld } from "../geometry";
import type { Position } from "../types";

/** A block's place; `corners` are lon, lat: top left, top right, bottom left. */
export interface BlockPlace {
  readonly row: number;
  readonly col: number;
  readonly corners: readonly [Position, Position, Position];
}

/** Segments by pixel, 1 to n; 0 has no data. */
export interface Block {
  readonly row: number;
  readonly col: number;
  /** Pixels along its side. */
  readonly side: number;
  readonly labels: Uint16Array;
  /** World coordinates of the top left corner, and of a pixel to the right and one down from there. */
  readonly origin: Position;
  readonly right: Position;
  readonly down: Position;
}

/** A segment: its block and its number there. */
export interface Segment {
  readonly block: string;
  readonly number: number;
}

export const keyOf = ({ row, col }: { readonly row: number; readonly col: number }): string => `${row} ${col}`;

export function blockFrom({ row, col, corners }: BlockPlace, side: number, labels: Uint16Array): Block {
  const [origin, right, down] = corners.map((corner) => toWorld(corner)) as [Position, Position, Position];
  const step = (to: Position): Position => [(to[0] - origin[0]) / side, (to[1] - origin[1]) / side];
  return { row, col, side, labels, origin, right: step(right), down: step(down) };
}

/** The pixel of a block under a world position, as fractions; it may lie outside. */
function pixelAt({ origin, right, down }: Block, [x, y]: Position): Position {
  const [dx, dy] = [x - origin[0], y - origin[1]];
  const span = right[0] * down[1] - down[0] * right[1];
  return [(dx * down[1] - dy * down[0]) / span, (dy * right[0] - dx * right[1]) / span];
}

/** The segment under a world position; null where there is none. */
export function segmentAt(blocks: Iterable<Block>, place: Position): Segment | null {
  for (const block of blocks) {
    const [col, row] = pixelAt(block, place).map(Math.floor) as [number, number];
    if (col < 0 || row < 0 || col >= block.side || row >= block.side) continue;
    const number = block.labels[row * block.side + col] ?? 0;
    return number ? { block: keyOf(block), number } : null;
  }
  return null;
}

/** Every segment along a line of world positions, looked for at steps of `step` world units. */
export function segmentsAlong(blocks: Iterable<Block>, points: readonly Position[], step: number): Segment[] {
  const all = [...blocks];
  const found: Segment[] = [];
  points.forEach((point, i) => {
    const from = points[i - 1] ?? point;
    const steps = Math.max(1, Math.ceil(Math.hypot(point[0] - from[0], point[1] - from[1]) / step));
    for (let n = i === 0 ? steps : 1; n <= steps; n++) {
      const share = n / steps;
      const hit = segmentAt(all, [from[0] + (point[0] - from[0]) * share, from[1] + (point[1] - from[1]) * share]);
      if (hit) found.push(hit);
    }
  });
  return found;
}

/** Segments chosen, by block. */
export type Chosen = ReadonlyMap<string, ReadonlySet<number>>;

/** The choice with some segments added or taken away. */
export function withSegments(chosen: Chosen, segments: readonly Segment[], add: boolean): Chosen {
  const next = new Map([...chosen].map(([key, numbers]) => [key, new Set(numbers)]));
  for (const { block, number } of segments) {
    const numbers = next.get(block) ?? new Set<number>();
    if (add) numbers.add(number);
    else numbers.delete(number);
    if (numbers.size) next.set(block, numbers);
    else next.delete(block);
  }
  return next;
}

export function countOf(chosen: Chosen): number {
  return [...chosen.values()].reduce((sum, numbers) => sum + numbers.size, 0);
}
