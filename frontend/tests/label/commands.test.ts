import { describe, expect, it } from "vitest";
import { cutSamples, fillHoles, grownSample, mergeSamples, pasted, reshapeSample, separateSamples, splitSamples, squareSamples, turnSamples } from "../../src/label/commands";
import type { Outcome } from "../../src/label/commands";
import { boundsOf, parts } from "../../src/label/geometry";
import { centreOf } from "../../src/label/ops/figures";
import { sample, square } from "./make";

const done = (outcome: Outcome): Extract<Outcome, { done: true }> => {
  if (!outcome.done) throw new Error(outcome.reason);
  return outcome;
};

describe("what a line does to samples", () => {
  it("splits every sample it crosses in one step, the pieces of the same class and properties", () => {
    const samples = [sample("a", { geometry: square(0, 0, 2), classValue: 7, properties: { height: 3 } }), sample("b", { geometry: square(3, 0, 2) }), sample("c", { geometry: square(0, 9) })];
    const { changes, whole, label } = done(splitSamples(samples, [[-1, 1], [6, 1.2]]));
    expect([whole, label]).toEqual([true, "Split 2 samples"]);
    expect(changes.map(({ before }) => before?.id ?? null)).toEqual(["a", null, "b", null]);
    expect(changes[1]?.after).toMatchObject({ classValue: 7, properties: { height: 3 }, version: 0 });
    expect(splitSamples(samples, [[-1, 20], [6, 20]])).toMatchObject({ done: false });
  });

  it("reshapes the first sample that it meets twice", () => {
    const { changes } = done(reshapeSample([sample("a", { geometry: square(0, 0, 2) })], [[1.5, 0.5], [3, 0.5], [3, 1.5], [1.5, 1.5]]));
    expect(changes[0]?.after && boundsOf(changes[0].after.geometry)).toEqual([0, 0, 3, 2]);
  });
});

describe("commands on samples", () => {
  it("merges into the largest, whose history and class stay", () => {
    const samples = [sample("small", { geometry: square(2, 0, 1), classValue: 7 }), sample("large", { geometry: square(0, 0, 2), classValue: 1 })];
    const { changes, whole } = done(mergeSamples(samples));
    expect(whole).toBe(true);
    expect(changes.map(({ id, after }) => [id, after?.classValue ?? null])).toEqual([["large", 1], ["small", null]]);
    expect(mergeSamples(samples.slice(1))).toMatchObject({ done: false });
  });

  it("cuts bays and holes, takes away what is covered, fills holes again", () => {
    const samples = [sample("a", { geometry: square(0, 0, 4) }), sample("b", { geometry: square(1.2, 1.2, 0.5) })];
    const { changes } = done(cutSamples(samples, square(1, 1, 1)));
    expect(changes.map(({ after }) => after && parts(after.geometry).length)).toEqual([2, null]);
    const holed = changes[0]?.after;
    const filled = done(fillHoles(holed ? [holed] : []));
    expect(filled.changes[0]?.after && parts(filled.changes[0].after.geometry)).toHaveLength(1);
    expect(fillHoles(samples)).toMatchObject({ done: false });
  });

  it("paints on, parts, squares, turns", () => {
    const grown = done(grownSample(sample("a", { geometry: square(0, 0) }), square(5, 5))).changes[0]?.after;
    expect(grown?.geometry.type).toBe("MultiPolygon");
    expect(done(separateSamples(grown ? [grown] : [])).changes).toHaveLength(2);
    expect(separateSamples([sample("a")])).toMatchObject({ done: false });
    expect(squareSamples([sample("p", { geometry: { type: "Point", coordinates: [0, 0] } })])).toMatchObject({ done: false });
    expect(done(turnSamples([sample("a")], 15)).changes[0]?.after?.geometry).not.toEqual(square(0, 0));
  });

  it("pastes several as they lay, around the pointer", () => {
    const [a, b] = [sample("a", { geometry: square(0, 0) }), sample("b", { geometry: square(2, 0), classValue: 7 })];
    const centre = centreOf(square(1, 0));
    const { changes } = done(pasted({ samples: [a, b], centre }, [centre[0] + 10 / 360, centre[1]], centreOf));
    const boxes = changes.map(({ after }) => after && boundsOf(after.geometry).map((x) => Math.round(x * 1e6) / 1e6));
    expect(boxes.map((box) => box?.[0])).toEqual([10, 12]);
    expect(changes.map(({ after }) => after?.classValue)).toEqual([1, 7]);
  });
});
