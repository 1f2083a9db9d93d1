import { describe, expect, it } from "vitest";
import { changedPlaces, reached, uncovered } from "../../src/label/parts";
import type { Scene } from "../../src/label/layer";
import { shapeOf } from "../../src/label/shapes";
import type { Sample } from "../../src/label/types";
import { sample, square } from "./make";

const scene = (samples: readonly Sample[], more: Partial<Scene> = {}): Scene => ({ ...same, samples: new Map(samples.map((one) => [one.id, one])), ...more });
const same: Scene = { samples: new Map(), classes: [], hiddenClasses: new Set(), pending: new Set(), left: new Set(), labelsHidden: false };
const [a, b] = [sample("a"), sample("b")];

describe("what is drawn anew", () => {
  it("is nothing where nothing changed, and the old and the new place of what did", () => {
    const moved = { ...b, geometry: square(1, 1, 2) };
    expect(changedPlaces(scene([a, b]), scene([a, b]))).toEqual([]);
    expect(changedPlaces(scene([a, b]), scene([a, moved]))).toEqual([shapeOf(b.geometry).box, shapeOf(moved.geometry).box]);
    expect(changedPlaces(scene([a, b]), scene([a]))).toEqual([shapeOf(b.geometry).box]);
    expect(changedPlaces(scene([a]), scene([a, b]))).toEqual([shapeOf(b.geometry).box]);
  });

  it("is what waits now or no longer, and what another canvas draws", () => {
    const box = shapeOf(a.geometry).box;
    expect(changedPlaces(scene([a, b]), scene([a, b], { pending: new Set(["a"]) }))).toEqual([box, box]);
    expect(changedPlaces(scene([a, b], { left: new Set(["a"]) }), scene([a, b]))).toEqual([box, box]);
  });

  it("is everything with other colours, another filter, or too many changes", () => {
    expect(changedPlaces(scene([a]), scene([a], { classes: [...same.classes] }))).toBeNull();
    expect(changedPlaces(scene([a]), scene([a], { labelsHidden: true }))).toBeNull();
    expect(changedPlaces(scene([]), scene(Array.from({ length: 100 }, (_, i) => sample(String(i)))))).toBeNull();
  });
});

it.each([
  [[10, 0], [[0, 0, 10, 50]]], [[-10, 0], [[90, 0, 100, 50]]], [[0, -5], [[0, 45, 100, 50]]],
  [[10, 5], [[0, 0, 10, 50], [0, 0, 100, 5]]], [[0, 0], []], [[60, 30], null], [[-200, 0], null],
] as const)("a picture moved by %j leaves %j blank", (by, blank) => {
  expect(uncovered(by, [100, 50])).toEqual(blank);
});

it("sees what reaches into a part from beside it, at the edges of the canvas too", () => {
  const frame = { scale: 1000, origin: [300, 200], width: 100, height: 50 } as const;
  expect(reached(frame, [10, 20, 30, 40])).toEqual([0.302, 0.212, 0.338, 0.248]);
  expect(reached(frame)).toEqual([0.292, 0.192, 0.408, 0.258]);
});
