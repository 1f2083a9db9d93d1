// Figures from drawn points, and shapes turned and placed. World coordinates in, degrees out.

import { boundsOf, boxBetween, distance, fromWorld, isArea, mapPositions, openParts, polygonFrom, round, toWorld } from "../geometry";
import type { Geometry, Position } from "../types";
import { simplifiedPath } from "./simplify";

/** Corners of a drawn circle: at 48 the outline is never more than 0.2 % of the radius inside. */
const CIRCLE_CORNERS = 48;

export function boxFrom(a: Position, b: Position): GeoJSON.Polygon {
  return boxBetween(fromWorld(a), fromWorld(b));
}

/** A rectangle with the base a-b that reaches as far as c on c's side. */
export function rectangleFrom(a: Position, b: Position, c: Position): GeoJSON.Polygon {
  const length = distance(a, b) || 1;
  const [nx, ny] = [-(b[1] - a[1]) / length, (b[0] - a[0]) / length];
  const depth = (c[0] - b[0]) * nx + (c[1] - b[1]) * ny;
  const away = ([x, y]: Position): Position => [x + nx * depth, y + ny * depth];
  return polygonFrom([a, b, away(b), away(a)].map(fromWorld));
}

/** A circle around a centre through a place: a circle on the ground too, since the map keeps angles. */
export function circleFrom(centre: Position, edge: Position, corners = CIRCLE_CORNERS): GeoJSON.Polygon {
  const radius = distance(centre, edge);
  const at = (i: number): Position => {
    const angle = (2 * Math.PI * i) / corners;
    return [centre[0] + radius * Math.cos(angle), centre[1] + radius * Math.sin(angle)];
  };
  return polygonFrom(Array.from({ length: corners }, (_, i) => fromWorld(at(i))));
}

export function lineFrom(points: readonly Position[]): GeoJSON.LineString {
  return { type: "LineString", coordinates: points.map(fromWorld) };
}

export function pointFrom(place: Position): GeoJSON.Point {
  return { type: "Point", coordinates: fromWorld(place) };
}

/** The area that a pointer went round; `tolerance` in world units. */
export function freehandFrom(points: readonly Position[], tolerance: number): GeoJSON.Polygon {
  return polygonFrom(simplifiedPath(points, tolerance).map(fromWorld));
}

/** The middle of a geometry's box, in world coordinates. */
export function centreOf(geometry: Geometry): Position {
  const [west, south, east, north] = boundsOf(geometry);
  const [a, b] = [toWorld([west, north]), toWorld([east, south])];
  return [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
}

/** The geometry turned clockwise on the map about a place (its middle without one). */
export function turned<G extends Geometry>(geometry: G, radians: number, about: Position = centreOf(geometry)): G {
  const [sin, cos] = [Math.sin(radians), Math.cos(radians)];
  return mapPositions(geometry, (position) => {
    const [x, y] = toWorld(position);
    const [dx, dy] = [x - about[0], y - about[1]];
    return fromWorld([about[0] + dx * cos - dy * sin, about[1] + dx * sin + dy * cos]);
  });
}

/** The geometry with its middle at a place. */
export function placedAt<G extends Geometry>(geometry: G, place: Position): G {
  const from = centreOf(geometry);
  return mapPositions(geometry, (position) => {
    const [x, y] = toWorld(position);
    return fromWorld([x + place[0] - from[0], y + place[1] - from[1]]);
  });
}

/** A place at every corner that two geometries of one build differ in: where it was, where it is. */
export function movedCorners(before: Geometry, after: Geometry): readonly { readonly from: Position; readonly to: Position }[] {
  const [a, b] = [openParts(before), openParts(after)];
  if (a.length !== b.length || isArea(before) !== isArea(after)) return [];
  return a.flatMap((part, p) => {
    const other = b[p] ?? [];
    if (other.length !== part.length) return [];
    return part.flatMap((from, i) => {
      const to = other[i];
      return to && (round(from[0]) !== round(to[0]) || round(from[1]) !== round(to[1])) ? [{ from, to }] : [];
    });
  });
}
