import { expect, it } from "vitest";
import { SIZES, strideOf, suggestedCutting } from "../../src/training/sizes";

it("suggests chips of which there are enough, and lets them overlap in small imagery", () => {
  expect(suggestedCutting(11_264, 8_704)).toEqual({ size: 256, overlap: 0 });
  expect(suggestedCutting(1_249, 1_035)).toEqual({ size: 192, overlap: 0 });
  expect(suggestedCutting(400, 400)).toEqual({ size: 128, overlap: 0.5 });
  expect(suggestedCutting(250, 250)).toEqual({ size: 64, overlap: 0.5 });
  expect(suggestedCutting(100, 100)).toEqual({ size: 64, overlap: 0.5 });
  expect(SIZES).toContain(suggestedCutting(100, 100).size);
});

it("offers only sizes that networks take", () => {
  expect(SIZES.every((size) => size % 32 === 0)).toBe(true);
});

it("turns an overlap into whole pixels", () => {
  expect([strideOf(256, 0), strideOf(256, 0.5), strideOf(64, 0.25), strideOf(1, 0.9)]).toEqual([256, 128, 48, 1]);
});
