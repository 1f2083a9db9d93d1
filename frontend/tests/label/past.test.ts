import { describe, expect, it } from "vitest";
import { backTo, changeOf, saidOf } from "../../src/label/past";
import type { Version } from "../../src/label/past";
import type { Sample } from "../../src/label/types";
import { sample, square } from "./make";

const nameOf = (value: number | null): string => (value === 1 ? "Tree" : "Roof");
const version = (was: Sample | null): Version => ({ seq: 1, version: 1, at: "2026-01-01T00:00:00Z", actor: null, sample: was, what: "" });

describe("the past of a sample", () => {
  it("says what each version changed", () => {
    const first = sample("a");
    expect(changeOf(null, first, nameOf, true)).toBe("drawn");
    expect(changeOf(null, { ...first, source: "import" }, nameOf, true)).toBe("imported");
    expect(changeOf(first, { ...first, geometry: square(1, 1), classValue: 2 }, nameOf, false)).toBe("shape, class: Tree → Roof");
    expect(changeOf(first, null, nameOf, false)).toBe("deleted");
    expect(changeOf(null, first, nameOf, false)).toBe("brought back");
    expect(changeOf({ ...first, verified: false }, first, nameOf, false)).toBe("accepted");
  });

  it("leads back to a version, or nowhere where it is so already", () => {
    const now = sample("a", { version: 4, classValue: 2 });
    expect(backTo(now, version(sample("a")))).toMatchObject({ before: now, after: { version: 4, classValue: 1 } });
    expect(backTo(now, version(sample("a", { classValue: 2 })))).toBeNull();
    expect(backTo(now, version(null))).toMatchObject({ before: now, after: null });
    expect(backTo(null, version(sample("a")))).toMatchObject({ before: null, after: { id: "a" } });
  });

  it("counts what a step did", () => {
    const step = { seq: 9, at: "", actor: null, created: 1200, imported: 0, suggested: 0, updated: 0, deleted: 2, ids: [], deleted_ids: [] };
    expect(saidOf(step)).toBe("drew 1,200, deleted 2");
    expect(saidOf({ ...step, imported: 1000, suggested: 199, deleted: 0 })).toBe("drew 1, imported 1,000, suggested 199");
  });
});
