import { expect, it } from "vitest";
import { SIZES, strideOf, suggestedSize } from "../../src/training/sizes";

it("suggests chips of which there are some dozen", () => {
  expect(suggestedSize(11_264, 8_704)).toBe(256);
  expect(suggestedSize(1_249, 1_035)).toBe(224);
  expect(suggestedSize(400, 400)).toBe(64);
});

it("offers only sizes that networks take", () => {
  expect(SIZES.every((size) => size % 32 === 0)).toBe(true);
});

it("turns an overlap into whole pixels", () => {
  expect([strideOf(256, 0), strideOf(256, 0.5), strideOf(64, 0.25), strideOf(1, 0.9)]).toEqual([256, 128, 48, 1]);
});
