import { describe, expect, it } from "vitest";
import { gridBody } from "../../../src/label/tasks/grid-dialog";
import { clock, countsOf, filtered, merged, NO_TASKS, ownTask, peopleOf, taskAt, withTask } from "../../../src/label/tasks/list";
import { burnDown } from "../../../src/label/tasks/progress";
import { taskFrom } from "../../../src/label/tasks/types";
import { task } from "./make";

const answer = (seq: number, count: number, ...features: ReturnType<typeof task>[]) => ({ seq, count, features });
const ana = { id: 1, name: "Ana" };
const ben = { id: 2, name: "Ben" };

describe("the list of tasks", () => {
  it("takes in what changed, and takes a split one away for its parts", () => {
    const list = merged(NO_TASKS, answer(2, 2, task(1, { seq: 1 }), task(2, { seq: 2 })), true);
    expect(list?.tasks.size).toBe(2);
    const later = list && merged(list, answer(5, 3, task(1, { seq: 3, split: true }), task(3, { seq: 4 }), task(4, { seq: 5 })), false);
    expect(later?.seq).toBe(5);
    expect([...(later?.tasks.values() ?? [])].map(({ number }) => number)).toEqual([2, 3, 4]);
  });

  it("asks for everything where tasks were removed", () => {
    const list = merged(NO_TASKS, answer(2, 2, task(1, { seq: 1 }), task(2, { seq: 2 })), true);
    expect(list && merged(list, answer(2, 1), false)).toBeNull();
  });

  it("does not go back to an older answer", () => {
    const list = merged(NO_TASKS, answer(9, 1, task(1, { seq: 9, state: "done" })), true);
    const late = list && merged(list, answer(8, 1, task(1, { seq: 8, state: "in_progress" })), false);
    expect(late?.tasks.get("task 1")?.state).toBe("done");
    expect(late?.seq).toBe(9);
  });

  it("filters by state and person", () => {
    const list = merged(NO_TASKS, answer(3, 3, task(3, { holder: ana, state: "in_progress" }), task(1, { done_by: ben, state: "done" }), task(2, { assigned_to: ben })), true);
    if (!list) throw new Error("no list");
    expect(filtered(list, { state: "", person: "" }).map(({ number }) => number)).toEqual([1, 2, 3]);
    expect(filtered(list, { state: "todo", person: "2" }).map(({ number }) => number)).toEqual([2]);
    expect(peopleOf(list)).toEqual([ana, ben]);
    expect(countsOf(list.tasks.values())).toMatchObject({ todo: 1, in_progress: 1, done: 1, approved: 0 });
  });

  it("knows one's own task by its token, and the task at a place", () => {
    const list = withTask(withTask(NO_TASKS, taskFrom(task(1))), taskFrom(task(2, { token: 4, state: "in_progress" })));
    expect(ownTask(list)?.number).toBe(2);
    expect(taskAt(list, [1.5, 0.5])?.number).toBe(1);
    expect(taskAt(list, [9, 9])).toBeNull();
  });

  it("tells the time that is left", () => {
    expect([245, 59.2, 0, -3].map(clock)).toEqual(["4:05", "1:00", "0:00", "0:00"]);
  });
});

describe("the grid's form", () => {
  it("asks only for what can be cut", () => {
    expect(gridBody("metres", 12.5, null, null)).toEqual({ kind: "metres", size: 12.5, area: null, polygons: null });
    expect(gridBody("pixels", 12.5, null, null)).toBeNull();
    expect(gridBody("tiles", 27, null, null)).toBeNull();
    expect(gridBody("metres", null, null, null)).toBeNull();
    expect(gridBody("polygons", null, null, null)).toBeNull();
    expect(gridBody("polygons", null, null, { type: "Polygon" })?.polygons).toEqual({ type: "Polygon" });
  });
});

describe("the burn-down", () => {
  const day = (name: string, todo: number, done: number, approved: number) => ({ day: name, todo, in_progress: 1, returned: 1, skipped: 1, done, approved });
  it("counts what is left at the end of each day", () => {
    const { x, left, approved } = burnDown([day("2026-01-01", 7, 0, 0), day("2026-01-02", 4, 2, 1)]);
    expect(left).toEqual([10, 7]);
    expect(approved).toEqual([0, 1]);
    expect((x[1] ?? 0) - (x[0] ?? 0)).toBe(86_400);
  });
  it("draws a line from a single day too", () => {
    expect(burnDown([day("2026-01-01", 4, 2, 1)])).toMatchObject({ left: [10, 7], done: [0, 2], approved: [0, 1] });
    expect(burnDown([])).toEqual({ x: [], left: [], done: [], approved: [] });
  });
});
