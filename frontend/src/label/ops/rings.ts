// Rings put together: outer ones with their holes, and a place inside.

import { contains, signedArea } from "../geometry";
import type { Position } from "../types";

type Ring = Position[];

/** Closed polygons of open rings that have their inside to the left: outer ones run counter-clockwise, holes clockwise. */
export function assembled(rings: readonly Ring[]): Ring[][] {
  const size = (ring: Ring): number => Math.abs(signedArea(ring));
  const polygons = rings.filter((ring) => signedArea(ring) > 0).sort((a, b) => size(a) - size(b)).map((ring) => [ring]);
  for (const hole of rings.filter((ring) => signedArea(ring) < 0)) {
    const place = innerPlace(hole);
    // The smallest that is around it; the outside of the whole has none.
    polygons.find(([outer = []]) => size(outer) > size(hole) && contains(outer, place))?.push(hole);
  }
  return polygons.map((polygon) => polygon.map(closed));
}

function closed(ring: Ring): Ring {
  const [first] = ring;
  return first ? [...ring, first] : [];
}

/** A position inside an open or closed ring and outside its holes. */
export function innerPlace(ring: Ring, holes: readonly Ring[] = []): Position {
  const levels = [...new Set([ring, ...holes].flat().map(([, y]) => y))].sort((a, b) => a - b);
  // Between two neighbouring heights of corners a level line meets edges only; the widest gap is the soundest.
  const gaps = levels.slice(1).map((y, i) => [y - (levels[i] ?? y), (y + (levels[i] ?? y)) / 2] as const).sort((a, b) => b[0] - a[0]);
  const level = gaps[0]?.[1] ?? ring[0]?.[1] ?? 0;
  const xs = [ring, ...holes].flatMap((one) => one.flatMap(([x1, y1], i) => {
    const [x2, y2] = one[(i + 1) % one.length] ?? [x1, y1];
    return y1 > level !== y2 > level ? [x1 + ((level - y1) * (x2 - x1)) / (y2 - y1)] : [];
  })).sort((a, b) => a - b);
  let [best, width]: [Position, number] = [[xs[0] ?? 0, level], -1];
  for (let i = 0; i + 1 < xs.length; i += 2) {
    const [a = 0, b = 0] = [xs[i], xs[i + 1]];
    if (b - a > width) [best, width] = [[(a + b) / 2, level], b - a];
  }
  return best;
}

/** Coming from `before` to `here`: the numbers of the ways on, clockwise from the way back; back itself comes last. */
export function rotation(before: Position, here: Position, ways: readonly Position[]): number[] {
  const angle = ([x, y]: Position): number => Math.atan2(y - here[1], x - here[0]);
  const back = angle(before);
  const turn = (place: Position): number => {
    if (place[0] === before[0] && place[1] === before[1]) return 2 * Math.PI;
    const by = back - angle(place);
    return by <= 0 ? by + 2 * Math.PI : by;
  };
  return ways.map((_, i) => i).sort((a, b) => turn(ways[a] ?? here) - turn(ways[b] ?? here));
}
