import { describe, expect, it } from "vitest";
import { areaM2, signedArea, validity } from "../../../src/label/geometry";
import { polygonsOf } from "../../../src/label/ops/clip";
import type { Area } from "../../../src/label/ops/clip";
import { reshapedBy } from "../../../src/label/ops/reshape";
import { splitBy } from "../../../src/label/ops/split";
import type { Position } from "../../../src/label/types";

const ring = (...corners: Position[]): Position[] => [...corners, corners[0] ?? [0, 0]];
const square: Area = { type: "Polygon", coordinates: [ring([0, 0], [4, 0], [4, 4], [0, 4])] };
const holed: Area = { type: "Polygon", coordinates: [ring([0, 0], [4, 0], [4, 4], [0, 4]), ring([1, 1], [1, 2], [2, 2], [2, 1])] };
const degrees2 = (area: Area): number =>
  polygonsOf(area).reduce((sum, [outer = [], ...holes]) => sum + Math.abs(signedArea(outer)) / 2 - holes.reduce((all, hole) => all + Math.abs(signedArea(hole)) / 2, 0), 0);

describe("splitting an area by a line", () => {
  it("makes two areas whose common border has the same corners", () => {
    const pieces = splitBy(square, [[1.5, -1], [1.3, 2], [1.5, 5]]);
    expect(pieces).toHaveLength(2);
    expect(pieces?.map(degrees2).reduce((a, b) => a + b)).toBeCloseTo(16, 8);
    const [one = new Set<string>(), other = new Set<string>()] = (pieces ?? []).map((piece) => new Set(polygonsOf(piece).flat(2).map(String)));
    expect([...one].filter((corner) => other.has(corner)).length).toBe(3);
  });

  it("makes as many pieces as the line makes, the largest first", () => {
    const pieces = splitBy(square, [[-1, 1], [5, 1], [5, 2.5], [-1, 2.5]]) ?? [];
    expect(pieces.map(degrees2).map((size) => Number(size.toFixed(6)))).toEqual([6, 6, 4]);
  });

  it("goes through a hole, and leaves a hole beside the line whole", () => {
    const through = splitBy(holed, [[1.5, -1], [1.5, 5]]) ?? [];
    expect(through.map((piece) => polygonsOf(piece)[0]?.length)).toEqual([1, 1]);
    expect(through.map(degrees2).reduce((a, b) => a + b)).toBeCloseTo(15, 8);
    const beside = splitBy(holed, [[3, -1], [3, 5]]) ?? [];
    expect(beside.map((piece) => polygonsOf(piece)[0]?.length)).toEqual([2, 1]);
    expect(degrees2(beside[0] ?? square)).toBeCloseTo(11, 8);
  });

  it("does not cut where the line ends inside", () => {
    expect(splitBy(square, [[-1, 1], [3, 1]])).toBeNull();
    expect(splitBy(square, [[5, 0], [6, 3]])).toBeNull();
  });

  it("takes a line that begins and ends on the outline, to rounding", () => {
    expect(splitBy(square, [[0, 1.000000001], [4, 2]])).toHaveLength(2);
    expect(splitBy(square, [[0, 0], [4, 4]])).toHaveLength(2);
  });

  it("cuts a loop out", () => {
    const pieces = splitBy(square, [[-1, 2], [3, 2], [3, 3], [2, 3], [2, -1]]) ?? [];
    expect(pieces.length).toBeGreaterThanOrEqual(3);
    expect(pieces.map(degrees2).reduce((a, b) => a + b)).toBeCloseTo(16, 7);
  });

  it("keeps the polygons that are not cut with the largest piece", () => {
    const two: Area = { type: "MultiPolygon", coordinates: [polygonsOf(square)[0] ?? [], [ring([6, 0], [7, 0], [7, 1], [6, 1])]] };
    const [first, second] = splitBy(two, [[1, -1], [1, 5]]) ?? [];
    expect([first?.type, second?.type]).toEqual(["MultiPolygon", "Polygon"]);
  });

  it("loses no area with any line through a crooked outline with a hole", () => {
    let seed = 7;
    const chance = (): number => (seed = (seed * 48271) % 2147483647) / 2147483647;
    for (let round = 0; round < 40; round++) {
      const outer = Array.from({ length: 17 }, (_, i): Position => {
        const [angle, radius] = [(2 * Math.PI * i) / 17, 0.001 * (1 + chance())];
        return [100 + radius * Math.cos(angle), 14 + radius * Math.sin(angle)];
      });
      const hole = Array.from({ length: 7 }, (_, i): Position => [100 + 0.0005 * Math.cos((-2 * Math.PI * i) / 7), 14 + 0.0005 * Math.sin((-2 * Math.PI * i) / 7)]);
      const area: Area = { type: "Polygon", coordinates: [ring(...outer), ring(...hole)] };
      const at = (x: number): Position => [100 + x, 14 + 0.0016 * (chance() - 0.5)];
      const pieces = splitBy(area, [at(-0.003), at(-0.0002), at(0.0003), at(0.003)]) ?? [];
      expect(pieces.length).toBeGreaterThan(1);
      for (const piece of pieces) expect(validity(piece).reason).toBe("");
      const sum = pieces.reduce((all, piece) => all + areaM2(piece), 0);
      expect(Math.abs(sum / areaM2(area) - 1)).toBeLessThan(1e-6);
    }
  });
});

describe("reshaping by a line", () => {
  it("adds a bulge where the line runs outside", () => {
    const made = reshapedBy(square, [[3.5, 1], [6, 1], [6, 3], [3.5, 3]]);
    expect(made && degrees2(made)).toBeCloseTo(20, 8);
  });

  it("takes a bay away where it runs inside", () => {
    const made = reshapedBy(square, [[5, 1], [3, 1], [3, 3], [5, 3]]);
    expect(made && degrees2(made)).toBeCloseTo(14, 8);
  });

  it("follows a line that goes out and in again", () => {
    const made = reshapedBy(square, [[3, 0.5], [5, 0.5], [5, 1.5], [3, 1.5], [3, 2.5], [5, 2.5]]);
    expect(made && degrees2(made)).toBeCloseTo(16 + 1 - 1, 8);
    expect(made && validity(made).valid).toBe(true);
  });

  it("reshapes a hole, and says where nothing is met twice", () => {
    const made = reshapedBy(holed, [[1.8, 1.2], [2.5, 1.2], [2.5, 1.8], [1.8, 1.8]]);
    expect(made && degrees2(made)).toBeCloseTo(15 - 0.3, 8);
    expect(reshapedBy(square, [[3, 1], [6, 1]])).toBeNull();
  });
});
