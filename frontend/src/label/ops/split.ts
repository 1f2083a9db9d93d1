// An area split by a line: the faces of the graph that outline and line make together.

import { covers, signedArea } from "../geometry";
import type { Position } from "../types";
import { areaOf, polygonsOf } from "./clip";
import type { Area } from "./clip";
import { crossing, crossings, between, noded, partOn } from "./lines";
import { assembled, innerPlace, rotation } from "./rings";

type Ring = Position[];

/**
 * The pieces into which a line cuts an area, the largest first; null where it does not cut through.
 * Polygons of a multipolygon that the line leaves whole stay with the largest piece. Neighbouring pieces share their
 * corners exactly.
 */
export function splitBy(area: Area, line: readonly Position[]): Area[] | null {
  const whole: Ring[][] = [];
  const pieces: Ring[][] = [];
  for (const polygon of polygonsOf(area)) {
    const made = facesOf(polygon, line);
    if (made.length > 1) pieces.push(...made);
    else whole.push(polygon);
  }
  if (!pieces.length) return null;
  const size = ([outer = []]: Ring[]): number => Math.abs(signedArea(outer));
  const [largest = [], ...others] = pieces.sort((a, b) => size(b) - size(a));
  const areas = [areaOf([largest, ...whole]), ...others.map((piece) => areaOf([piece]))].filter((piece) => piece !== null);
  return areas.length > 1 ? areas : null;
}

/** The polygons of the plane inside `polygon` that its rings and the line enclose. */
function facesOf(polygon: Ring[], line: readonly Position[]): Ring[][] {
  const self = selfCrossings(line);
  const onLine = polygon.flatMap((ring) => crossings(line, ring).map(({ along, place }) => ({ at: along, place })));
  const graph = new Graph();
  for (const ring of polygon) graph.add(noded(ring, crossings(line, ring).map(({ around, place }) => ({ at: around, place }))));
  const cut = noded(line, [...onLine, ...self]);
  for (let i = 0; i + 1 < cut.length; i++) {
    const [a, b] = [cut[i], cut[i + 1]];
    if (!a || !b || !inside(polygon, [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2])) continue;
    graph.add([a, b]);
  }
  graph.prune();
  // An open ring of a face and its own outside: only what lies in the polygon is a piece.
  return assembled(graph.cycles()).filter(([outer = [], ...holes]) => inside(polygon, innerPlace(outer, holes)));
}

function inside(polygon: Ring[], place: Position): boolean {
  if (polygon.some((ring) => ring.some((a, i) => { const b = ring[i + 1]; return b !== undefined && partOn(place, a, b) !== null; }))) return false;
  return covers({ type: "Polygon", coordinates: polygon }, place);
}

function selfCrossings(line: readonly Position[]): { at: number; place: Position }[] {
  const found: { at: number; place: Position }[] = [];
  for (let i = 0; i + 1 < line.length; i++)
    for (let j = i + 2; j + 1 < line.length; j++) {
      const [a, b, c, d] = [line[i], line[i + 1], line[j], line[j + 1]];
      const cut = a && b && c && d ? crossing(a, b, c, d) : null;
      if (!cut || !a || !b) continue;
      const place = between(a, b, cut[0]);
      found.push({ at: i + cut[0], place }, { at: j + cut[1], place });
    }
  return found;
}

/** A planar graph of segments, and the cycles around its faces. */
class Graph {
  private readonly places = new Map<string, Position>();
  private readonly links = new Map<string, Set<string>>();

  add(positions: readonly Position[]): void {
    for (let i = 0; i + 1 < positions.length; i++) {
      const [a, b] = [this.key(positions[i]), this.key(positions[i + 1])];
      if (a === b) continue;
      this.links.get(a)?.add(b);
      this.links.get(b)?.add(a);
    }
  }

  private key(place: Position = [0, 0]): string {
    const key = `${place[0].toFixed(9)} ${place[1].toFixed(9)}`;
    if (!this.places.has(key)) {
      this.places.set(key, place);
      this.links.set(key, new Set());
    }
    return key;
  }

  /** Take away ends that lead nowhere. */
  prune(): void {
    const ends = [...this.links].filter(([, others]) => others.size === 1).map(([key]) => key);
    for (let end = ends.pop(); end !== undefined; end = ends.pop()) {
      const [other] = this.links.get(end) ?? [];
      this.links.get(end)?.clear();
      if (other === undefined) continue;
      this.links.get(other)?.delete(end);
      if (this.links.get(other)?.size === 1) ends.push(other);
    }
  }

  /** Every cycle that keeps to its left, as open rings. */
  cycles(): Ring[] {
    const used = new Set<string>();
    const found: Ring[] = [];
    for (const [from, others] of this.links)
      for (const to of others) {
        if (used.has(`${from}>${to}`)) continue;
        const ring: Ring = [];
        let [a, b] = [from, to];
        while (!used.has(`${a}>${b}`)) {
          used.add(`${a}>${b}`);
          ring.push(this.at(a));
          [a, b] = [b, this.next(a, b)];
        }
        if (ring.length > 2) found.push(ring);
      }
    return found;
  }

  private at(key: string): Position {
    return this.places.get(key) ?? [0, 0];
  }

  /** Coming from a to b, the sharpest turn to the left. */
  private next(a: string, b: string): string {
    const ways = [...(this.links.get(b) ?? [])];
    const [first = 0] = rotation(this.at(a), this.at(b), ways.map((key) => this.at(key)));
    return ways[first] ?? a;
  }
}
