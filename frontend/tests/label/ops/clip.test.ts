import { describe, expect, it } from "vitest";
import { areaM2, covers, fromWorld, parts, polygonFrom, toWorld, validity } from "../../../src/label/geometry";
import { strokeOf } from "../../../src/label/ops/brush";
import { filled, hasHoles, joined, separated, without } from "../../../src/label/ops/clip";
import type { Area } from "../../../src/label/ops/clip";
import type { Position } from "../../../src/label/types";

const box = (x: number, y: number, w: number, h: number): Area => ({ type: "Polygon", coordinates: [[[x, y], [x + w, y], [x + w, y + h], [x, y + h], [x, y]]] });

describe("joining and cutting areas", () => {
  it("joins neighbours without a seam", () => {
    const made = joined([box(0, 0, 1, 1), box(1, 0, 1, 1), box(1, 1, 1, 1)]);
    expect(made?.type).toBe("Polygon");
    expect(made && areaM2(made)).toBeCloseTo(3 * areaM2(box(0, 0, 1, 1)), -7);
  });

  it("joins what does not touch into one area of two parts, which come apart again", () => {
    const made = joined([box(0, 0, 1, 1), box(3, 0, 1, 1)]);
    expect(made?.type).toBe("MultiPolygon");
    expect(made && separated(made)).toHaveLength(2);
  });

  it("cuts a hole where the cut lies inside, and fills it again", () => {
    const made = without(box(0, 0, 4, 4), [box(1, 1, 1, 1)]);
    expect(made && hasHoles(made)).toBe(true);
    expect(made && parts(made)).toHaveLength(2);
    expect(made && hasHoles(filled(made, [1.5, 1.5]))).toBe(false);
    expect(made && hasHoles(filled(made, [3.5, 3.5]))).toBe(true);
  });

  it("leaves the same object where nothing meets, and nothing where all is covered", () => {
    const area = box(0, 0, 1, 1);
    expect(without(area, [box(5, 5, 1, 1)])).toBe(area);
    expect(without(area, [box(-1, -1, 3, 3)])).toBeNull();
  });

  it("agrees with counting points, whatever lies over what", () => {
    let seed = 11;
    const chance = (): number => (seed = (seed * 48271) % 2147483647) / 2147483647;
    const star = (): Area => {
      const [x, y] = [8 + 0.001 * chance(), 47 + 0.001 * chance()];
      const corners = Array.from({ length: 9 }, (_, i): Position => {
        const radius = 0.0003 + 0.0006 * chance();
        return [x + radius * Math.cos((2 * Math.PI * i) / 9), y + radius * Math.sin((2 * Math.PI * i) / 9)];
      });
      return polygonFrom(corners);
    };
    for (let round = 0; round < 25; round++) {
      const areas = [star(), star(), star(), star()];
      const all = joined(areas);
      const left = areas[0] && without(areas[0], areas.slice(1));
      if (all) expect(validity(all).reason).toBe("");
      if (left) expect(validity(left).reason).toBe("");
      for (let i = 0; i < 60; i++) {
        const place: Position = [7.9995 + 0.002 * chance(), 46.9995 + 0.002 * chance()];
        const in_ = areas.map((area) => covers(area, place));
        expect(all !== null && covers(all, place)).toBe(in_.includes(true));
        expect(left ? covers(left, place) : false).toBe(in_[0] === true && !in_.slice(1).includes(true));
      }
    }
  });

  it("gives a hole that touches the outline at one corner a ring of its own", () => {
    const made = without(box(0, 0, 4, 4), [{ type: "Polygon", coordinates: [[[0, 2], [1, 1], [2, 2], [1, 3], [0, 2]]] }]);
    expect(made && parts(made).map((part) => part.length).sort()).toEqual([5, 6]);
    expect(made && validity(made).reason).toBe("");
  });

  it("keeps clear of neighbours at any slant: the shared border has no gap and no overlap", () => {
    const slanted: Area = { type: "Polygon", coordinates: [[[8.000123456, 47.0001], [8.00105, 47.00030001], [8.0009, 47.0012], [8.000123456, 47.0001]]] };
    const over: Area = { type: "Polygon", coordinates: [[[8.0005, 47], [8.002, 47], [8.002, 47.002], [8.0005, 47.002], [8.0005, 47]]] };
    const made = without(over, [slanted]);
    const both = made && joined([made, slanted]);
    const all = joined([over, slanted]);
    expect(both && all && Math.abs(areaM2(both) / areaM2(all) - 1)).toBeLessThan(1e-6);
    expect(made && both && Math.abs((areaM2(made) + areaM2(slanted)) / areaM2(both) - 1)).toBeLessThan(1e-6);
  });
});

describe("the brush", () => {
  const at = ([lon, lat]: Position): Position => toWorld([lon, lat]);

  it("covers its path, rounded at the ends", () => {
    const radius = 1e-6;
    const [x, y] = at([10, 45]);
    const made = strokeOf([[x, y], [x + 1e-5, y]], radius);
    expect(made?.type).toBe("Polygon");
    const metres = 40075016.7 * Math.cos((45 * Math.PI) / 180);
    const wanted = (Math.PI * radius ** 2 + 2 * radius * 1e-5) * metres ** 2;
    expect(made && Math.abs(areaM2(made) / wanted - 1)).toBeLessThan(0.02);
  });

  it("makes a dot of a single press and a valid area of a scribble", () => {
    expect(strokeOf([at([10, 45])], 1e-6)?.type).toBe("Polygon");
    const scribble = Array.from({ length: 400 }, (_, i): Position => {
      const angle = i / 12;
      return at(fromWorld([0.5 + 1e-5 * Math.sin(angle * 1.3), 0.4 + 1e-5 * Math.cos(angle)]));
    });
    const made = strokeOf(scribble, 8e-7);
    expect(made && validity(made).valid).toBe(true);
  });
});
