import { describe, expect, it } from "vitest";
import { bodyOf, decisionOf, neighbour, nextOpen, offers, undecided } from "../../src/agreement/deciding";
import type { Decisions } from "../../src/agreement/deciding";
import type { Difference, What } from "../../src/agreement/types";

const version = { geometry: { type: "Point" as const, coordinates: [0, 0] }, class_value: 1 };
function one(key: string, what: What): Difference {
  return { key, what, iou: what.startsWith("only") ? null : 0.6, a: what === "only_b" ? null : version, b: what === "only_a" ? null : version };
}
const ALL = [one("shape", "geometry"), one("first", "only_a"), one("second", "only_b"), one("same", "agreed")];
const NONE: Decisions = new Map();

describe("deciding between two versions", () => {
  it("offers what was drawn", () => {
    expect(ALL.map((item) => (["a", "b", "both", "none", "edit"] as const).filter((take) => offers(item, take)))).toEqual([
      ["a", "b", "both", "none", "edit"], ["a", "none", "edit"], ["b", "none", "edit"], ["a", "b", "both", "none", "edit"],
    ]);
  });

  it("needs no decision on what is alike, but takes one", () => {
    expect(undecided(ALL, NONE)).toBe(3);
    const [, , , same] = ALL;
    expect(same && decisionOf(same, NONE)).toEqual({ take: "a" });
    expect(same && decisionOf(same, new Map([["same", { take: "none" }]]))).toEqual({ take: "none" });
  });

  it("goes on to the next open one, around the end", () => {
    expect(nextOpen(ALL, NONE, null)).toBe("shape");
    expect(nextOpen(ALL, new Map([["second", { take: "b" }]]), "second")).toBe("shape");
    const decided: Decisions = new Map([["shape", { take: "a" }], ["first", { take: "a" }], ["second", { take: "b" }]]);
    expect(nextOpen(ALL, decided, "second")).toBe("second");
  });

  it("steps within the list", () => {
    expect([neighbour(ALL, null, 1), neighbour(ALL, "same", 1), neighbour(ALL, "first", -1), neighbour([], "x", 1)]).toEqual(["shape", "same", "shape", null]);
  });

  it("sends only what was decided", () => {
    expect(bodyOf(new Map([["first", { take: "none" }]]))).toEqual({ decisions: { first: { take: "none" } } });
  });
});
