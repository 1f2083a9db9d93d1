// Thousands of samples put together by place, so that few paths draw them: the same paths whichever part is drawn. Pure.

import type { Bounds } from "./geometry";
import type { Shape } from "./shapes";
import type { Sample } from "./types";

/** Samples of one class whose centres lie in one square of the picture: they are drawn as one path. */
export interface Group {
  readonly classValue: number | null;
  readonly shapes: Shape[];
  /** What the shapes cover, world coordinates. */
  box: Bounds;
}

/** Side of a square in CSS pixels; squares lie where they lie in the world, wherever the view is. */
const SQUARE_PX = 64;
/** Most shapes of a path: what a path costs grows faster than what is in it. */
const PATH_SHAPES = 100;

interface Square {
  readonly x: number;
  readonly y: number;
  readonly classes: Map<number | null, Group[]>;
}

/**
 * Groups in the order in which they are drawn: by square, then by class.
 *
 * Neighbours may overlap in the picture: which is above, and which share a path (where their fillings do not add up),
 * must depend neither on which of them lie in the part that is drawn nor on a change of one that lies elsewhere.
 * `scale`: CSS pixels of the width of the world.
 */
export function crowd(samples: Iterable<readonly [Sample, Shape]>, scale: number): Group[] {
  const squares = new Map<string, Square>();
  for (const [{ classValue }, shape] of samples) {
    const [minX, minY, maxX, maxY] = shape.box;
    const [x, y] = [Math.floor(((minX + maxX) / 2) * (scale / SQUARE_PX)), Math.floor(((minY + maxY) / 2) * (scale / SQUARE_PX))];
    const key = `${x} ${y}`;
    let square = squares.get(key);
    if (!square) squares.set(key, (square = { x, y, classes: new Map() }));
    const groups = square.classes.get(classValue) ?? [];
    const group = groups.at(-1);
    if (group && group.shapes.length < PATH_SHAPES) {
      group.shapes.push(shape);
      group.box = [Math.min(group.box[0], minX), Math.min(group.box[1], minY), Math.max(group.box[2], maxX), Math.max(group.box[3], maxY)];
    } else {
      groups.push({ classValue, shapes: [shape], box: shape.box });
      square.classes.set(classValue, groups);
    }
  }
  return [...squares.values()].sort((a, b) => a.y - b.y || a.x - b.x).flatMap(({ classes }) => [...classes].sort(([a], [b]) => (a ?? -1) - (b ?? -1)).flatMap(([, groups]) => groups));
}

export function meet(a: Bounds, b: Bounds): boolean {
  return a[0] <= b[2] && a[2] >= b[0] && a[1] <= b[3] && a[3] >= b[1];
}
