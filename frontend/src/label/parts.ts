// Which parts of the samples' canvas have to be drawn anew: after a change, and after a pan. Pure.

import { shapeOf } from "./shapes";
import type { Bounds } from "./geometry";
import type { Scene } from "./layer";
import type { Id } from "./types";

/** Where a canvas lies: canvas pixels (CSS) are `world * scale - origin`. */
export interface Frame {
  readonly scale: number;
  readonly origin: readonly [x: number, y: number];
  readonly width: number;
  readonly height: number;
}

/** How far lines and dots reach beyond what they outline, in CSS pixels. */
export const REACH_PX = 8;

/** What can be seen in a box of the canvas (CSS pixels; all of it if none is given), world coordinates: what lies beside it may reach into it. */
export function reached({ scale, origin: [x, y], width, height }: Frame, [left, top, right, bottom]: Bounds = [0, 0, width, height]): Bounds {
  return [(x + left - REACH_PX) / scale, (y + top - REACH_PX) / scale, (x + right + REACH_PX) / scale, (y + bottom + REACH_PX) / scale];
}

/** With more changes than this all is drawn anew: each part looks at every sample once. */
const MOST_PARTS = 48;

/** Boxes in world coordinates where two scenes differ; null where all may. */
export function changedPlaces(before: Scene, after: Scene): Bounds[] | null {
  if (before.classes !== after.classes || before.hiddenClasses !== after.hiddenClasses || before.labelsHidden !== after.labelsHidden) return null;
  const ids = new Set<Id>([...apart(before.pending, after.pending), ...apart(before.left, after.left)]);
  if (before.samples !== after.samples) {
    for (const [id, sample] of after.samples) if (before.samples.get(id) !== sample) ids.add(id);
    for (const id of before.samples.keys()) if (!after.samples.has(id)) ids.add(id);
  }
  if (ids.size > MOST_PARTS) return null;
  return [...ids].flatMap((id) =>
    [before, after].flatMap(({ samples }) => {
      const sample = samples.get(id);
      return sample ? [shapeOf(sample.geometry).box] : [];
    }),
  );
}

function apart(a: ReadonlySet<Id>, b: ReadonlySet<Id>): Id[] {
  return [...[...a].filter((id) => !b.has(id)), ...[...b].filter((id) => !a.has(id))];
}

/**
 * The boxes of a canvas that come into view when its picture is moved by whole pixels: a strip at a side, one above or
 * below; null where less than a third of the picture stays, which is drawn anew as fast as it is moved.
 */
export function uncovered(moved: readonly [x: number, y: number], [width, height]: readonly [width: number, height: number]): Bounds[] | null {
  const [x, y] = moved;
  if ((width - Math.abs(x)) * (height - Math.abs(y)) < (width * height) / 3 || Math.abs(x) >= width || Math.abs(y) >= height) return null;
  const strips: Bounds[] = [];
  if (x) strips.push(x > 0 ? [0, 0, x, height] : [width + x, 0, width, height]);
  if (y) strips.push(y > 0 ? [0, 0, width, y] : [0, height + y, width, height]);
  return strips;
}
