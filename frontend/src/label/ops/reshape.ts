// An outline given a new course by a line that leaves and meets it again.

import { signedArea } from "../geometry";
import type { Position } from "../types";
import { areaOf, polygonsOf } from "./clip";
import type { Area } from "./clip";
import { crossings, near, noded, partOn } from "./lines";

/**
 * The area whose outline runs along the line between the places where they meet: a bulge is added where the line runs
 * outside, a bay taken away where it runs inside. Null where the line meets no outline twice.
 */
export function reshapedBy(area: Area, line: readonly Position[]): Area | null {
  let changed = false;
  const polygons = polygonsOf(area).map((rings) =>
    rings.map((ring) => {
      const other = reshapedRing(ring, line);
      changed ||= other !== null;
      return other ?? ring;
    }),
  );
  return changed ? areaOf(polygons) : null;
}

function reshapedRing(ring: Position[], line: readonly Position[]): Position[] | null {
  const met = crossings(line, ring);
  let now: Position[] | null = null;
  for (let i = 0; i + 1 < met.length; i++) {
    const [from, to] = [met[i], met[i + 1]];
    if (!from || !to) continue;
    const corners = line.filter((_, at) => at > from.along && at < to.along);
    const course = [from.place, ...corners, to.place];
    // Along the outline itself nothing changes.
    if (course.length === 2 && runsAlong(now ?? ring, from.place, to.place)) continue;
    now = withCourse(now ?? ring, course) ?? now;
  }
  return now;
}

function runsAlong(ring: readonly Position[], a: Position, b: Position): boolean {
  const middle: Position = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
  return numberOn(ring, middle) !== null;
}

function numberOn(ring: readonly Position[], place: Position): number | null {
  for (let i = 0; i + 1 < ring.length; i++) {
    const [a, b] = [ring[i], ring[i + 1]];
    const part = a && b ? partOn(place, a, b) : null;
    if (part !== null) return i + part;
  }
  return null;
}

/** The ring with one of its two ways between the course's ends replaced by the course; the larger one of both. */
function withCourse(ring: readonly Position[], course: readonly Position[]): Position[] | null {
  const [start, end] = [course[0], course.at(-1)];
  if (!start || !end || near(start, end)) return null;
  const [s, e] = [numberOn(ring, start), numberOn(ring, end)];
  if (s === null || e === null) return null;
  const open = noded(ring, [{ at: s, place: start }, { at: e, place: end }]);
  if (open.length > 1 && near(open[0] ?? start, open.at(-1) ?? end)) open.pop();
  const way = (from: Position, to: Position): Position[] => {
    const [i, j] = [open.findIndex((one) => near(one, from)), open.findIndex((one) => near(one, to))];
    return i <= j ? open.slice(i, j + 1) : [...open.slice(i), ...open.slice(0, j + 1)];
  };
  const one = [...course, ...way(end, start).slice(1, -1)];
  const other = [...[...course].reverse(), ...way(start, end).slice(1, -1)];
  const larger = Math.abs(signedArea(one)) >= Math.abs(signedArea(other)) ? one : other;
  const [first] = larger;
  return first ? [...larger, first] : null;
}
