import { expect, test } from "vitest";
import { packed } from "../../src/ui/vector-columns";
import { tonesOf } from "../../src/ui/vector-paint";
import type { DecodedTile } from "../../src/ui/vector-tile";

const CLASSES = [2, 1, -1, 2, 7];
const TILE: DecodedTile = {
  extent: 4096,
  count: CLASSES.length,
  types: new Uint8Array(CLASSES.length).fill(3),
  cells: new Uint8Array(CLASSES.length),
  classes: Int32Array.from(CLASSES),
  boxes: new Int32Array(CLASSES.length * 4),
  ringStart: new Uint32Array(CLASSES.length + 1),
  pointStart: Uint32Array.of(0),
  points: new Int32Array(),
  columns: new Map([["score", packed([0.1, 0.9, 0.5, undefined, 0.2])]]),
};
const colours = new Map([[1, "#111111"], [2, "#222222"]]);

test("each class has a tone in the order of the features, those of other classes the colour for all others", () => {
  const { tones, palette } = tonesOf(TILE, { colours, otherColour: "#999999", hidden: new Set([-1]) });
  expect([...tones]).toEqual([1, 2, 0, 1, 3]);
  expect(palette).toEqual(["#222222", "#111111", "#999999"]);
});

test("a style that paints is asked for each feature, with its own properties", () => {
  const paint = (_: number, properties: Record<string, unknown>): string | null => {
    const score = properties["score"];
    return typeof score !== "number" ? null : score >= 0.5 ? "#ff0000" : "#0000ff";
  };
  const { tones, palette } = tonesOf(TILE, { colours, paint });
  expect([...tones]).toEqual([1, 2, 2, 0, 1]);
  expect(palette).toEqual(["#0000ff", "#ff0000"]);
});
