import { describe, expect, it } from "vitest";
import { lastFinished, lossCurves, mergeEpochs, metricCurves } from "../../src/runs/curves";
import type { Epoch } from "../../src/runs/types";

const epoch = (number: number, finished: boolean, steps: [number, number][] = []): Epoch => ({
  number,
  finished,
  steps,
  seconds: 1,
  metrics: finished ? { train_loss: 1 / number, validation_loss: 2 / number, iou: number / 10, f1: 0.5, accuracy: 0.9 } : {},
});

describe("mergeEpochs", () => {
  it("takes in later words and keeps the order", () => {
    const merged = mergeEpochs([epoch(1, true), epoch(2, false)], [epoch(3, false), epoch(2, true)]);
    expect(merged.map(({ number, finished }) => [number, finished])).toEqual([[1, true], [2, true], [3, false]]);
  });

  it("never lets a finished epoch become unfinished: answers may overtake each other", () => {
    expect(mergeEpochs([epoch(1, true)], [epoch(1, false)])[0]?.finished).toBe(true);
  });
});

describe("lastFinished", () => {
  it("is where reading goes on: the running epoch is read again", () => {
    expect(lastFinished([])).toBe(0);
    expect(lastFinished([epoch(1, true), epoch(2, true), epoch(3, false)])).toBe(2);
  });
});

describe("lossCurves", () => {
  it("places steps within their epoch and validation at its end", () => {
    const curves = lossCurves([epoch(1, true, [[5, 0.9], [10, 0.8]]), epoch(2, false, [[5, 0.7]])]);
    expect(curves.x).toEqual([0.5, 1, 1.5]);
    expect(curves.columns).toEqual([
      [0.9, 0.8, 0.7],
      [null, 2, null],
    ]);
  });

  it("has no point before the first batch", () => {
    expect(lossCurves([]).x).toEqual([]);
  });
});

describe("metricCurves", () => {
  it("shows finished epochs only, null for what the task does not measure", () => {
    const curves = metricCurves([epoch(1, true), epoch(2, false)], "classify_pixels");
    expect([curves.labels, curves.x, curves.columns]).toEqual([["IoU", "F1", "Accuracy"], [1], [[0.1], [0.5], [0.9]]]);
    expect(metricCurves([epoch(1, true)], "detect_objects").columns).toEqual([[null], [null], [null]]);
  });
});
