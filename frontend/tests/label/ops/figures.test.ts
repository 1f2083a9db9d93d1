import { describe, expect, it } from "vitest";
import { areaM2, distance, openParts, sameGeometry, toWorld } from "../../../src/label/geometry";
import { followed, movedAlong } from "../../../src/label/ops/borders";
import { circleFrom, freehandFrom, placedAt, rectangleFrom, turned } from "../../../src/label/ops/figures";
import { simplified, simplifiedPath, squared } from "../../../src/label/ops/simplify";
import type { Geometry, Position, Sample } from "../../../src/label/types";
import { sample } from "../make";

const M = 1 / 40075016.7; // a metre at the equator, in world units
const at = (x: number, y: number): Position => [0.5 + x * M, 0.5 + y * M];
const world = (geometry: Geometry): Position[] => (openParts(geometry)[0] ?? []).map(toWorld);

function angles(ring: Position[]): number[] {
  return ring.map((p, i) => {
    const [a, b] = [ring[(i + ring.length - 1) % ring.length] ?? p, ring[(i + 1) % ring.length] ?? p];
    const turn = Math.atan2(a[1] - p[1], a[0] - p[0]) - Math.atan2(b[1] - p[1], b[0] - p[0]);
    return Math.abs((((turn * 180) / Math.PI + 540) % 360) - 180);
  });
}

describe("figures", () => {
  it("makes a rectangle of three points, at right angles whatever the third", () => {
    const ring = world(rectangleFrom(at(0, 0), at(30, 10), at(26, 40)));
    for (const angle of angles(ring)) expect(angle).toBeCloseTo(90, 3);
    expect(distance(ring[0] ?? [0, 0], ring[1] ?? [0, 0]) / M).toBeGreaterThan(25);
  });

  it("makes a circle of the right size", () => {
    expect(Math.abs(areaM2(circleFrom(at(0, 0), at(20, 0))) / (Math.PI * 400) - 1)).toBeLessThan(0.006);
  });

  it("follows a hand with few corners", () => {
    const hand = Array.from({ length: 400 }, (_, i): Position => at(50 * Math.cos(i / 64), 50 * Math.sin(i / 64)));
    const made = freehandFrom(hand, 0.5 * M);
    expect(world(made).length).toBeLessThan(50);
    expect(Math.abs(areaM2(made) / (Math.PI * 2500) - 1)).toBeLessThan(0.02);
  });

  it("turns a shape about its middle and puts it elsewhere, its size kept", () => {
    const shape = rectangleFrom(at(0, 0), at(30, 0), at(30, 10));
    const quarter = turned(shape, Math.PI / 2);
    expect(areaM2(quarter)).toBeCloseTo(areaM2(shape), 1);
    expect(sameGeometry(turned(quarter, -Math.PI / 2), shape)).toBe(true);
    expect(areaM2(placedAt(shape, at(500, 300)))).toBeCloseTo(areaM2(shape), 1);
  });
});

describe("simplifying and squaring", () => {
  it("drops corners within the tolerance and keeps the others", () => {
    expect(simplifiedPath([at(0, 0), at(5, 0.2), at(10, 0), at(10, 10)], M)).toEqual([at(0, 0), at(10, 0), at(10, 10)]);
    const shape = circleFrom(at(0, 0), at(20, 0));
    expect(world(simplified(shape, M)).length).toBeLessThan(20);
    const box = rectangleFrom(at(0, 0), at(30, 0), at(30, 10));
    expect(simplified(box, M)).toBe(box);
  });

  it("makes nearly right angles right, whatever the direction of the building", () => {
    const crooked = [at(0, 0), at(20, 0.8), at(19.2, 12), at(9, 11.5), at(9.4, 20.3), at(-0.5, 20)].map(([x, y]): Position => {
      const [dx, dy] = [x - 0.5, y - 0.5];
      return [0.5 + dx * Math.cos(0.6) - dy * Math.sin(0.6), 0.5 + dx * Math.sin(0.6) + dy * Math.cos(0.6)];
    });
    const made = squared(freehandFrom(crooked, 0));
    expect(world(made)).toHaveLength(6);
    for (const angle of angles(world(made))) expect(Math.min(Math.abs(angle - 90), Math.abs(angle - 270))).toBeLessThan(0.01);
    expect(Math.abs(areaM2(made) / areaM2(freehandFrom(crooked, 0)) - 1)).toBeLessThan(0.03);
  });

  it("leaves a slanted edge slanted", () => {
    const cut = freehandFrom([at(0, 0), at(20, 0), at(20, 10), at(10, 20), at(0, 20)], 0);
    expect(angles(world(squared(cut))).filter((angle) => Math.abs(angle - 135) < 1)).toHaveLength(2);
  });
});

describe("shared borders", () => {
  const neighbour: Sample = sample("n", { geometry: freehandFrom([at(0, 0), at(10, 0), at(14, 5), at(10, 10), at(0, 10)], 0) });

  it("follows a neighbour between two places on its outline, the shorter way", () => {
    const [a, b] = [[...toWorld(openParts(neighbour.geometry)[0]?.[0] ?? [0, 0])], 0];
    expect(b).toBe(0);
    const corners = world(neighbour.geometry);
    const [first, second, third] = corners;
    expect(a).toEqual(first);
    const way = followed([neighbour], first ?? at(0, 0), third ?? at(0, 0));
    expect(way).toEqual([second]);
    expect(followed([neighbour], at(50, 50), third ?? at(0, 0))).toBeNull();
  });

  it("moves the corners that neighbours have in the same place", () => {
    const other = sample("o", { geometry: freehandFrom([at(10, 0), at(30, 0), at(14, 5)], 0) });
    const corners = openParts(other.geometry)[0] ?? [];
    const moved: Geometry = { type: "Polygon", coordinates: [[...corners, corners[0] ?? [0, 0]].map((p) => (p === corners[0] ? [p[0] + 1e-6, p[1]] : p))] };
    const found = movedAlong([neighbour, other], "o", other.geometry, moved);
    expect(found.map((one) => one.sample.id)).toEqual(["n"]);
    const far: Geometry = { ...moved };
    expect(movedAlong([sample("x", { geometry: circleFrom(at(900, 900), at(910, 900)) })], "o", other.geometry, far)).toEqual([]);
  });
});
