// Areas joined, cut and kept apart. Pure; positions in degrees, as the server computes with them.

import { areaM2, boundsOf, covers, intersects, parts, round, signedArea } from "../geometry";
import type { Geometry, Position } from "../types";
import { overlay } from "./overlay";

export type Area = GeoJSON.Polygon | GeoJSON.MultiPolygon;
type Rings = Position[][];

/** Twice the square degrees under which a ring is a seam of rounding and no area: a square millimetre. */
const SLIVER = 2e-16;

export function asArea(geometry: Geometry): Area | null {
  return geometry.type === "Polygon" || geometry.type === "MultiPolygon" ? geometry : null;
}

/** The polygons of an area, each a list of closed rings, the outer one first. */
export function polygonsOf(area: Area): Rings[] {
  const all = area.type === "Polygon" ? [area.coordinates] : area.coordinates;
  return all.map((rings) => rings.map((ring) => ring.map(([x = 0, y = 0]): Position => [x, y])));
}

/** An area of polygons, rounded to what the server keeps, seams left out; null where nothing is left. */
export function areaOf(polygons: readonly Rings[]): Area | null {
  const sound = polygons.flatMap((rings): Rings[] => {
    const [outer, ...holes] = rings.map(tidy);
    return outer ? [[outer, ...holes.filter((hole) => hole !== null)]] : [];
  });
  const [only] = sound;
  if (!only) return null;
  return sound.length === 1 ? { type: "Polygon", coordinates: only } : { type: "MultiPolygon", coordinates: sound };
}

/** The ring rounded and without repeated positions; null where it encloses nothing. */
function tidy(ring: readonly Position[]): Position[] | null {
  const open: Position[] = [];
  for (const [x, y] of ring) {
    const here: Position = [round(x), round(y)];
    const last = open.at(-1);
    if (last?.[0] !== here[0] || last[1] !== here[1]) open.push(here);
  }
  const [first] = open;
  const last = open.at(-1);
  if (first && last && open.length > 1 && first[0] === last[0] && first[1] === last[1]) open.pop();
  if (!first || open.length < 3 || Math.abs(signedArea(open)) < SLIVER) return null;
  return [...open, first];
}

/** All areas as one. */
export function joined(areas: readonly Area[]): Area | null {
  return areas.length ? areaOf(overlay(areas.map(polygonsOf), (covered) => covered.includes(true))) : null;
}

/** The area without what the others cover; null where nothing is left. The same object where they do not meet. */
export function without(area: Area, others: readonly Area[]): Area | null {
  const box = boundsOf(area);
  const near = others.filter((other) => intersects(box, boundsOf(other)));
  if (!near.length) return area;
  return areaOf(overlay([area, ...near].map(polygonsOf), ([own, ...covered]) => own === true && !covered.includes(true)));
}

/** The area without its parts of under so many square metres; null where nothing is left. */
export function swept(area: Area, leastM2: number): Area | null {
  const polygons = polygonsOf(area);
  const kept = polygons.filter((coordinates) => areaM2({ type: "Polygon", coordinates }) >= leastM2);
  return kept.length === polygons.length ? area : areaOf(kept);
}

/** The area with its holes filled: all of them, or the one that holds a position. */
export function filled(area: Area, at: Position | null): Area {
  const holds = (hole: Position[]): boolean => at === null || covers({ type: "Polygon", coordinates: [hole] }, at);
  const kept = polygonsOf(area).map(([outer = [], ...holes]) => [outer, ...holes.filter((hole) => !holds(hole))]);
  return areaOf(kept) ?? area;
}

export function hasHoles(area: Area): boolean {
  return parts(area).length > polygonsOf(area).length;
}

/** Every polygon of an area as one of its own. */
export function separated(area: Area): GeoJSON.Polygon[] {
  return polygonsOf(area).map((coordinates) => ({ type: "Polygon", coordinates }));
}
