import { describe, expect, it } from "vitest";
import { baseVersion, EMPTY, reduce, sendable } from "../../src/label/store";
import type { Event, State } from "../../src/label/store";
import type { LogRow, Sample } from "../../src/label/types";
import { operation, sample, square } from "./make";

const run = (state: State, ...events: Event[]): State => events.reduce(reduce, state);
const loaded = (...samples: Sample[]): State => run(EMPTY, { type: "snapshot", samples, seq: 5, truncated: false, whole: true });
const row = (seq: number, id: string, version: number, now: Sample | null, opId = `other${seq}`): LogRow => ({
  seq, opId, id, version, sample: now && { ...now, version }, action: now ? "update" : "delete",
});
const moved = square(0.5, 0);
const grown = square(0, 0, 2);

describe("what the map shows", () => {
  it("shows a new sample at once and keeps it through its saving", () => {
    const create = operation("create", "n", { geometry: moved, classValue: 2 });
    const state = run(loaded(), { type: "edited", operations: [create] });
    expect(state.view.get("n")).toMatchObject({ classValue: 2, version: 0 });
    const done = run(state, { type: "saved", opId: create.opId, sample: sample("n", { geometry: moved, classValue: 2 }), version: 1 });
    expect(done.pending).toEqual([]);
    expect(done.view.get("n")).toMatchObject({ version: 1 });
  });

  it("puts my class on their newer geometry while mine waits", () => {
    const a = sample("a");
    const state = run(loaded(a), { type: "edited", operations: [operation("update", "a", { classValue: 2 }, a)] });
    const after = run(state, { type: "log", rows: [row(6, "a", 2, { ...a, geometry: moved })] });
    expect(after.view.get("a")).toMatchObject({ classValue: 2, geometry: moved });
  });

  it("takes the log row of my own operation as its answer", () => {
    const a = sample("a");
    const update = operation("update", "a", { classValue: 2 }, a);
    const state = run(loaded(a), { type: "edited", operations: [update] }, { type: "log", rows: [row(6, "a", 2, { ...a, classValue: 2 }, update.opId)] });
    expect(state.pending).toEqual([]);
    expect(state.seq).toBe(6);
  });
});

describe("the log", () => {
  it("stops at a gap and goes on when the rows between have come", () => {
    const a = sample("a");
    const gap = run(loaded(a), { type: "log", rows: [row(7, "a", 3, { ...a, classValue: 3 })] });
    expect([gap.seq, gap.view.get("a")?.classValue]).toEqual([5, 1]);
    const filled = run(gap, { type: "log", rows: [row(6, "a", 2, { ...a, classValue: 2 }), row(7, "a", 3, { ...a, classValue: 3 })] });
    expect([filled.seq, filled.view.get("a")?.classValue]).toEqual([7, 3]);
  });

  it("hears a row twice without harm", () => {
    const a = sample("a");
    const rows = [row(6, "a", 2, { ...a, classValue: 2 })];
    const once = run(loaded(a), { type: "log", rows });
    expect(run(once, { type: "log", rows }).view.get("a")).toEqual(once.view.get("a"));
  });

  it("does not let an older snapshot bring a deleted sample back", () => {
    const a = sample("a");
    const state = run(loaded(a), { type: "log", rows: [row(6, "a", 2, null)] });
    const late = run(state, { type: "snapshot", samples: [a], seq: 5, truncated: false, whole: false });
    expect(late.view.has("a")).toBe(false);
  });

  it("drops what is gone when a whole snapshot replaces everything", () => {
    const state = run(loaded(sample("a"), sample("b")), { type: "snapshot", samples: [sample("b", { version: 4 })], seq: 90, truncated: false, whole: true });
    expect([...state.view.keys()]).toEqual(["b"]);
    expect(state.seq).toBe(90);
  });
});

describe("sending", () => {
  it("sends the first operation of each sample only, and none while it is on its way", () => {
    const a = sample("a");
    const [one, two, other] = [operation("update", "a", { classValue: 2 }, a), operation("update", "a", { classValue: 3 }, a), operation("create", "b", { geometry: moved })];
    const state = run(loaded(a), { type: "edited", operations: [one, two, other] });
    expect(sendable(state)).toEqual([one, other]);
    const sent = run(state, { type: "sent", opIds: [one.opId] });
    expect(sendable(sent)).toEqual([other]);
    expect(sendable(run(sent, { type: "unsent", opIds: [one.opId] }))).toEqual([one, other]);
  });

  it("goes on from my own saved operation without a conflict with myself", () => {
    const a = sample("a");
    const one = operation("update", "a", { geometry: moved }, a);
    const two = operation("update", "a", { classValue: 3 }, { ...a, geometry: moved });
    const state = run(loaded(a), { type: "edited", operations: [one, two] }, { type: "saved", opId: one.opId, sample: { ...a, geometry: moved, version: 2 }, version: 2 });
    expect(baseVersion(state, two)).toBe(2);
  });

  it("asks for a merge where they changed the content since", () => {
    const a = sample("a");
    const mine = operation("update", "a", { geometry: moved }, a);
    const state = run(loaded(a), { type: "edited", operations: [mine] }, { type: "log", rows: [row(6, "a", 2, { ...a, geometry: grown })] });
    expect(baseVersion(state, mine)).toBeNull();
  });

  it("restores a deleted sample on top of its tombstone", () => {
    const a = sample("a");
    const state = run(loaded(a), { type: "log", rows: [row(6, "a", 2, null)] });
    expect(baseVersion(state, operation("create", "a", { geometry: a.geometry }))).toBe(2);
  });
});

describe("a stale operation", () => {
  const a = sample("a");
  const theirs = { ...a, geometry: grown, version: 2 };

  it("is based anew under a new op_id where it merges", () => {
    const mine = operation("update", "a", { classValue: 2 }, a);
    const state = run(loaded(a), { type: "edited", operations: [mine] }, { type: "stale", opId: mine.opId, theirs, version: 2, newOpId: "again" });
    expect(state.pending).toMatchObject([{ opId: "again", patch: { classValue: 2 }, base: { version: 2 } }]);
    expect(state.view.get("a")).toMatchObject({ classValue: 2, geometry: grown });
  });

  it("vanishes where theirs already says the same", () => {
    const mine = operation("update", "a", { geometry: grown }, a);
    const state = run(loaded(a), { type: "edited", operations: [mine] }, { type: "stale", opId: mine.opId, theirs, version: 2, newOpId: "again" });
    expect(state.pending).toEqual([]);
  });

  it("restores with the tombstone's version when the server names it", () => {
    const again = operation("create", "a", { geometry: a.geometry, classValue: 1, properties: {} });
    const state = run(loaded(), { type: "edited", operations: [again] }, { type: "stale", opId: again.opId, theirs: null, version: 7, newOpId: "again" });
    const next = state.pending[0];
    expect(next && baseVersion(state, next)).toBe(7);
  });
});

describe("a conflict", () => {
  const a = sample("a");
  const theirs = { ...a, geometry: grown, version: 2 };
  const mine = operation("update", "a", { geometry: moved }, a);
  const later = operation("update", "a", { classValue: 9 }, { ...a, geometry: moved });
  const torn = run(loaded(a), { type: "edited", operations: [mine, later] }, { type: "stale", opId: mine.opId, theirs, version: 2, newOpId: "x" });
  const decide = (state: State, choice: "mine" | "theirs" | "both"): State =>
    run(state, { type: "resolved", opId: state.conflicts[0]?.opId ?? "", choice, newOpId: "new", newSampleId: "copy" });

  it("shows mine on the map, holds back what follows, and knows both sides", () => {
    expect(torn.conflicts).toMatchObject([{ fields: ["geometry"], mine: { geometry: moved, classValue: 9 }, theirs: { geometry: grown } }]);
    expect(torn.view.get("a")).toMatchObject({ geometry: moved });
    expect(sendable(torn)).toEqual([]);
  });

  it("follows what they do while it is open", () => {
    const state = run(torn, { type: "log", rows: [row(6, "a", 3, { ...theirs, geometry: square(3, 3) })] });
    expect(state.conflicts[0]?.theirs).toMatchObject({ version: 3, geometry: square(3, 3) });
  });

  it("mine: sends my geometry and class on top of theirs", () => {
    const state = decide(torn, "mine");
    expect(state.conflicts).toEqual([]);
    expect(state.pending).toMatchObject([{ opId: "new", id: "a", action: "update", patch: { geometry: moved, classValue: 9 }, base: { version: 2 } }]);
  });

  it("theirs: leaves their geometry but does not lose my class", () => {
    const state = decide(torn, "theirs");
    expect(state.pending).toMatchObject([{ id: "a", patch: { classValue: 9 }, base: { version: 2 } }]);
    expect(state.view.get("a")).toMatchObject({ geometry: grown, classValue: 9 });
  });

  it("both: mine becomes a sample of its own", () => {
    const state = decide(torn, "both");
    expect(state.pending).toMatchObject([{ id: "copy", action: "create", patch: { geometry: moved } }]);
    expect(state.view.get("a")).toMatchObject({ geometry: grown });
    expect(state.view.get("copy")).toMatchObject({ geometry: moved });
  });

  it("mine of a deleted sample draws it anew; theirs lets it go", () => {
    const update = operation("update", "a", { classValue: 2 }, a);
    const gone = run(loaded(a), { type: "edited", operations: [update] }, { type: "stale", opId: update.opId, theirs: null, version: 2, newOpId: "x" });
    expect(gone.conflicts).toMatchObject([{ fields: ["existence"], theirs: null }]);
    expect(gone.view.has("a")).toBe(true);
    expect(decide(gone, "mine").pending).toMatchObject([{ id: "copy", action: "create" }]);
    expect(decide(gone, "theirs").view.has("a")).toBe(false);
  });

  it("my delete of what they changed: mine deletes it, theirs keeps it", () => {
    const remove = operation("delete", "a", {}, a);
    const state = run(loaded(a), { type: "edited", operations: [remove] }, { type: "stale", opId: remove.opId, theirs, version: 2, newOpId: "x" });
    expect(decide(state, "mine").pending).toMatchObject([{ action: "delete", base: { version: 2 } }]);
    expect(decide(state, "theirs").view.get("a")).toMatchObject({ geometry: grown });
  });
});

describe("a refused operation", () => {
  it("stays on the map with its reason until it is given up", () => {
    const create = operation("create", "n", { geometry: moved });
    const update = operation("update", "n", { classValue: 2 }, null);
    const state = run(loaded(), { type: "edited", operations: [create, update] }, { type: "refused", opId: create.opId, message: "No such class.", code: "class_unknown" });
    expect(state.problems).toMatchObject([{ id: "n", message: "No such class." }]);
    expect(sendable(state)).toEqual([]);
    const dropped = run(state, { type: "discarded", opId: create.opId });
    expect([dropped.pending, dropped.problems, dropped.view.size]).toEqual([[], [], 0]);
  });
});

describe("groups", () => {
  const grouped = (): State => {
    const a = sample("a");
    const start = reduce(EMPTY, { type: "snapshot", samples: [a], seq: 1, truncated: false, whole: true });
    const operations = [{ ...operation("update", "a", { geometry: square(0, 0, 0.5) }, a), group: "g" }, { ...operation("create", "b", { geometry: square(0.5, 0, 0.5) }), group: "g" }];
    return reduce(start, { type: "edited", operations });
  };

  it("go whole or not at all", () => {
    const state = grouped();
    expect(sendable(state)).toHaveLength(2);
    const [first] = state.pending;
    const stuck = reduce(state, { type: "refused", opId: first?.opId ?? "", message: "no", code: "" });
    expect(sendable(stuck)).toEqual([]);
    const dropped = reduce(stuck, { type: "discarded", opId: first?.opId ?? "" });
    expect([dropped.pending.length, dropped.view.size]).toEqual([0, 1]);
  });

  it("are taken back whole when theirs stays, and go on together when mine does", () => {
    const theirs = sample("a", { version: 2, geometry: square(5, 5), updatedBy: "ben" });
    const state = grouped();
    const opId = state.pending[0]?.opId ?? "";
    const torn = reduce(state, { type: "stale", opId, theirs, version: 2, newOpId: "n" });
    expect(torn.conflicts).toHaveLength(1);
    expect(sendable(torn)).toEqual([]);
    const back = reduce(torn, { type: "resolved", opId, choice: "theirs", newOpId: "m", newSampleId: "s" });
    expect([back.pending.length, [...back.view.keys()]]).toEqual([0, ["a"]]);
    const on = reduce(torn, { type: "resolved", opId, choice: "mine", newOpId: "m", newSampleId: "s" });
    expect(sendable(on).map(({ id }) => id).sort()).toEqual(["a", "b"]);
  });
});
