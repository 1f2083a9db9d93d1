import { describe, expect, it } from "vitest";
import { NO_HISTORY, operationFor, redo, remember, restored, stored, undo } from "../../src/label/undo";
import type { Step } from "../../src/label/undo";
import type { Sample } from "../../src/label/types";
import { sample, square } from "./make";

const a = sample("a");
const moved = { ...a, geometry: square(2, 2) };
const view = (...samples: Sample[]): Map<string, Sample> => new Map(samples.map((one) => [one.id, one]));
const step = (before: Sample | null, after: Sample | null): Step => ({ label: "Move", changes: [{ id: "a", before, after }] });

describe("undo", () => {
  it("is an inverse operation, and redo the inverse of that", () => {
    const done = undo(remember(NO_HISTORY, step(a, moved)), view({ ...moved, version: 2 }), 7);
    expect(done).toMatchObject({ done: true, operations: [{ action: "update", patch: { geometry: a.geometry }, base: { version: 2 }, order: 7 }] });
    const again = redo(done.history, view({ ...a, version: 3 }), 8);
    expect(again).toMatchObject({ done: true, operations: [{ patch: { geometry: moved.geometry } }] });
    expect(again.history.undo).toHaveLength(1);
  });

  it("deletes what was drawn and draws again what was deleted", () => {
    expect(undo(remember(NO_HISTORY, step(null, a)), view(a), 1)).toMatchObject({ operations: [{ action: "delete", id: "a" }] });
    expect(undo(remember(NO_HISTORY, step(a, null)), view(), 1)).toMatchObject({ operations: [{ action: "create", id: "a", patch: { geometry: a.geometry, classValue: 1 } }] });
  });

  it("refuses to wipe a colleague's change of the same field and drops the step", () => {
    const result = undo(remember(NO_HISTORY, step(a, moved)), view({ ...a, geometry: square(5, 5) }), 1);
    expect(result.done).toBe(false);
    expect(result.history.undo).toEqual([]);
  });

  it("leaves a colleague's change of another field alone", () => {
    const result = undo(remember(NO_HISTORY, step(a, moved)), view({ ...moved, classValue: 5 }), 1);
    expect(result).toMatchObject({ done: true, operations: [{ patch: { geometry: a.geometry } }] });
    expect(result.done && result.operations[0]?.patch.classValue).toBeUndefined();
  });

  it("does not draw anew what a colleague deleted", () => {
    expect(undo(remember(NO_HISTORY, step(a, moved)), view(), 1)).toMatchObject({ done: false });
  });

  it("forgets what could be redone when something new is done", () => {
    const done = undo(remember(NO_HISTORY, step(a, moved)), view(moved), 1);
    expect(remember(done.history, step(null, a)).redo).toEqual([]);
    expect(undo(NO_HISTORY, view(), 1)).toMatchObject({ done: false, reason: "Nothing to undo." });
  });

  it("works after a reload", () => {
    const history = restored(stored(remember(NO_HISTORY, step(a, moved))));
    expect(undo(history, view(moved), 1)).toMatchObject({ done: true });
    expect(restored(null)).toEqual(NO_HISTORY);
    expect(restored("{}")).toEqual(NO_HISTORY);
  });

  it("sends only what a step changed", () => {
    expect(operationFor({ id: "a", before: a, after: { ...a, classValue: 4 } }, 1).patch).toEqual({ classValue: 4 });
  });
});
