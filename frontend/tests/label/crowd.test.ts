import { describe, expect, it } from "vitest";
import { crowd, meet } from "../../src/label/crowd";
import { shapeOf } from "../../src/label/shapes";
import type { Sample } from "../../src/label/types";
import { sample, square } from "./make";

const SCALE = 256 * 2 ** 8;
const shown = (samples: readonly Sample[]) => crowd(samples.map((one) => [one, shapeOf(one.geometry)] as const), SCALE);
// A grid of squares of half a degree, which are 91 px wide at this scale; two classes.
const grid = Array.from({ length: 100 }, (_, i): Sample => ({ ...sample(String(i)), classValue: 1 + (i % 2), geometry: square(i % 10, Math.floor(i / 10), 0.5) }));

describe("samples put together by place", () => {
  it("are each in one group, of their class, whose box holds them", () => {
    const groups = shown(grid);
    expect(groups.flatMap(({ shapes }) => shapes)).toHaveLength(100);
    for (const { classValue, shapes, box } of groups) {
      for (const shape of shapes) {
        expect(meet(shape.box, box)).toBe(true);
        expect(grid.find(({ geometry }) => shapeOf(geometry) === shape)?.classValue).toBe(classValue);
      }
    }
  });

  it("are in the same groups in the same order when others are not there", () => {
    const few = grid.slice(30, 60);
    const shapes = new Set(few.map(({ geometry }) => shapeOf(geometry)));
    const kept = shown(grid).filter((group) => group.shapes.some((shape) => shapes.has(shape)));
    expect(shown(few)).toEqual(kept);
    expect(shown([...few].reverse())).toEqual(kept);
  });

  it("are drawn in the same order when one of them changes its class", () => {
    const classes = (samples: readonly Sample[]) => shown(samples).map(({ classValue }) => classValue).filter((value) => value !== 7);
    const near = Array.from({ length: 6 }, (_, i): Sample => ({ ...sample(String(i)), classValue: 1 + (i % 2), geometry: square(0.02 * i, 0, 0.01) }));
    const changed = near.map((one, i) => (i ? one : { ...one, classValue: 7 }));
    expect(classes(near)).toEqual([1, 2]);
    expect(classes(changed)).toEqual([1, 2]);
  });

  it("are parted where a path would hold too many", () => {
    const [there] = grid;
    const heap = Array.from({ length: 250 }, (_, i): Sample => ({ ...sample(`h${i}`), classValue: 2, geometry: square(0, 0, 0.001) }));
    expect(shown([...heap, ...(there ? [there] : [])]).map((group) => group.shapes.length).sort((a, b) => b - a)).toEqual([100, 100, 50, 1]);
  });
});
