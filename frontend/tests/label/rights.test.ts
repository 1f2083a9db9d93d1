import { expect, it } from "vitest";
import { rightsOf, roleSaid } from "../../src/label/rights";

it.each([
  ["viewer", [false, false, false]],
  ["labeler", [true, false, false]],
  ["reviewer", [true, true, false]],
  ["manager", [true, true, true]],
  ["owner", [true, true, true]],
  ["somebody", [false, false, false]],
])("knows what a %s may do", (role, may) => {
  const { label, review, manage } = rightsOf(role);
  expect([label, review, manage]).toEqual(may);
});

it("says what a changed role means", () => {
  expect(roleSaid(rightsOf("viewer"))).toBe("Your role here is viewer now: you can look, not draw.");
  expect(roleSaid(rightsOf("reviewer"))).toBe("Your role here is reviewer now.");
});
