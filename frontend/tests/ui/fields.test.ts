import { expect, it } from "vitest";
import { stepFor } from "../../src/ui/fields";

it("lets fractions lie between the steps of the arrow keys, and whole numbers not", () => {
  expect(stepFor(0.35, 0.05, 0)).toBe(0.05);
  expect(stepFor(0.36, 0.05, 0)).toBe("any");
  expect(stepFor(0.3, 0.1, 0)).toBe(0.1);
  expect(stepFor(2.5, 1, 0)).toBe(1);
  expect(stepFor(null, 0.05, 0)).toBe(0.05);
  expect(stepFor(7, "any", 0)).toBe("any");
});
