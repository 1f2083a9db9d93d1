import { describe, expect, it } from "vitest";
import {
  areaM2, boundsOf, boxBetween, covers, fromWorld, insertVertex, isBox, moveBoxCorner, moveBy, moveVertex,
  polygonFrom, removeVertex, sameGeometry, signedArea, toWorld, validity,
} from "../../src/label/geometry";
import { square } from "./make";

describe("geometry", () => {
  it("goes to world coordinates and back within a nanodegree", () => {
    for (const place of [[0, 0], [-119.03, 37.006], [179.9, -80]] as [number, number][]) {
      const [x, y] = fromWorld(toWorld(place));
      expect(Math.abs(x - place[0]) + Math.abs(y - place[1])).toBeLessThan(2e-9);
    }
  });

  it("measures a degree square at the equator (oracle: R² · Δλ · (sin 1° − sin 0°))", () => {
    const oracle = 6371008.8 ** 2 * (Math.PI / 180) * Math.sin(Math.PI / 180);
    expect(areaM2(square(0, 0)) / oracle).toBeCloseTo(1, 3);
    const holed: GeoJSON.Polygon = { type: "Polygon", coordinates: [...square(0, 0, 2).coordinates, ...square(0.5, 0.5).coordinates] };
    expect(areaM2(holed)).toBeCloseTo(areaM2(square(0, 0, 2)) - areaM2(square(0.5, 0.5)), -3);
  });

  it("draws boxes whichever corner comes first and rings counter-clockwise", () => {
    expect(sameGeometry(boxBetween([1, 1], [0, 0]), square(0, 0))).toBe(true);
    expect(signedArea(polygonFrom([[0, 0], [0, 1], [1, 1]]).coordinates[0] ?? [])).toBeGreaterThan(0);
    expect(isBox(square(3, 4))).toBe(true);
    expect(isBox(polygonFrom([[0, 0], [2, 0], [2, 1], [0, 2]]))).toBe(false);
  });

  it("knows what an area covers, holes left out", () => {
    const holed: GeoJSON.Polygon = { type: "Polygon", coordinates: [...square(0, 0, 3).coordinates, ...square(1, 1).coordinates] };
    expect([covers(holed, [0.5, 0.5]), covers(holed, [1.5, 1.5]), covers(holed, [4, 4])]).toEqual([true, false, false]);
  });

  it("moves, inserts and removes corners and keeps rings closed", () => {
    const moved = moveVertex(square(0, 0), { part: 0, index: 0 }, [-1, -1]);
    expect(moved.coordinates[0]?.[0]).toEqual([-1, -1]);
    expect(moved.coordinates[0]?.at(-1)).toEqual([-1, -1]);
    const longer = insertVertex(square(0, 0), { part: 0, index: 3 }, [-0.5, 0.5]);
    expect(longer.coordinates[0]).toHaveLength(6);
    expect(removeVertex(longer, { part: 0, index: 4 })).toEqual(square(0, 0));
    const triangle = polygonFrom([[0, 0], [1, 0], [1, 1]]);
    expect(removeVertex(triangle, { part: 0, index: 0 })).toBeNull();
  });

  it("moves a corner inside the right ring of a multipolygon", () => {
    const two: GeoJSON.MultiPolygon = { type: "MultiPolygon", coordinates: [square(0, 0).coordinates, square(5, 5).coordinates] };
    const moved = moveVertex(two, { part: 1, index: 2 }, [9, 9]);
    expect(moved.coordinates[0]).toEqual(square(0, 0).coordinates);
    expect(moved.coordinates[1]?.[0]?.[2]).toEqual([9, 9]);
  });

  it("keeps a box a box when its corner moves", () => {
    const grown = moveBoxCorner(square(0, 0), { part: 0, index: 2 }, [3, 2]);
    expect([isBox(grown), boundsOf(grown)]).toEqual([true, [0, 0, 3, 2]]);
  });

  it("moves a shape on the map without changing its form there", () => {
    const moved = moveBy(square(10, 50, 0.001), [0.001, -0.001]);
    const size = (g: GeoJSON.Polygon): number => {
      const [w, s, e, n] = boundsOf(g);
      return (toWorld([e, n])[0] - toWorld([w, s])[0]) / (toWorld([w, s])[1] - toWorld([e, n])[1]);
    };
    expect(size(moved)).toBeCloseTo(size(square(10, 50, 0.001)), 3);
  });

  it.each([
    ["a square", square(0, 0), true],
    ["a bow tie", polygonFrom([[0, 0], [1, 1], [1, 0], [0, 1]]), false],
    ["a spike that folds back", polygonFrom([[0, 0], [2, 0], [1, 0], [1, 1]]), false],
    ["two corners", polygonFrom([[0, 0], [1, 1]]), false],
    ["no area", polygonFrom([[0, 0], [1, 1], [2, 2]]), false],
    ["over the edge of the map", square(179.5, 0), false],
    ["not a number", { type: "Point", coordinates: [NaN, 0] } as GeoJSON.Point, false],
    ["a ring that touches itself", polygonFrom([[0, 0], [4, 0], [4, 4], [2, 0], [0, 4]]), false],
  ])("judges %s", (_name, geometry, valid) => {
    const verdict = validity(geometry);
    expect(verdict.valid).toBe(valid);
    expect(verdict.reason === "").toBe(valid);
  });
});
