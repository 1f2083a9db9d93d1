import { expect, it } from "vitest";
import { reasonsOf } from "../../src/files/reasons";

it("tells each reason once, with the first features that it kept out", () => {
  const left = (index: number, reason: string): { index: number; code: string; reason: string } => ({ index, code: "", reason });
  const examples = [left(1, "No class."), ...[3, 4, 5, 6, 7, 1199].map((index) => left(index, "Labelled task by task.")), left(9, "No class.")];
  expect(reasonsOf({ examples })).toEqual([["No class.", "2, 10"], ["Labelled task by task.", "4, 5, 6, 7, 8 …"]]);
  expect(reasonsOf({ examples: [left(1199, "No class.")] })).toEqual([["No class.", "1,200"]]);
});
