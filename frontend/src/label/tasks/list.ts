// The tasks that this page knows, kept in step with the server by the numbers of their history. Pure.

import { covers } from "../geometry";
import type { Id, Position } from "../types";
import { STATES, taskFrom } from "./types";
import type { Person, Task, TaskListJson, TaskState } from "./types";

export interface TaskList {
  readonly seq: number;
  readonly tasks: ReadonlyMap<Id, Task>;
  /** More are handed out than are listed: on sheets. */
  readonly onSheets?: boolean;
}

export const NO_TASKS: TaskList = { seq: 0, tasks: new Map() };

/** The list after an answer; null where something was removed that the answer cannot tell: load all again. */
export function merged(list: TaskList, answer: TaskListJson, whole: boolean): TaskList | null {
  const tasks = new Map(whole ? [] : list.tasks);
  for (const one of answer.features.map(taskFrom)) {
    if (one.split) tasks.delete(one.id);
    else if ((tasks.get(one.id)?.seq ?? 0) <= one.seq) tasks.set(one.id, one);
  }
  if (!whole && tasks.size !== answer.count) return null;
  return { seq: Math.max(answer.seq, whole ? 0 : list.seq), tasks, onSheets: answer.on_sheets ?? false };
}

/** The list with one task as the server just answered it. */
export function withTask(list: TaskList, task: Task): TaskList {
  const tasks = new Map(list.tasks);
  if (task.split) tasks.delete(task.id);
  else tasks.set(task.id, task);
  return { ...list, tasks };
}

export function countsOf(tasks: Iterable<Task>): Readonly<Record<TaskState, number>> {
  const counts = Object.fromEntries(STATES.map((state) => [state, 0])) as Record<TaskState, number>;
  for (const { state } of tasks) counts[state] += 1;
  return counts;
}

export interface Wanted {
  readonly state: TaskState | "";
  /** A user's id, or "" for all. */
  readonly person: string;
}

function isOf(task: Task, person: string): boolean {
  return [task.holder, task.assigned_to, task.done_by].some((one) => one !== null && String(one.id) === person);
}

/** Tasks of the filter by number. */
export function filtered(list: TaskList, { state, person }: Wanted): Task[] {
  return [...list.tasks.values()]
    .filter((task) => (state === "" || task.state === state) && (person === "" || isOf(task, person)))
    .sort((a, b) => a.number - b.number);
}

/** Whoever has to do with a task, by name. */
export function peopleOf(list: TaskList): Person[] {
  const found = new Map<number, Person>();
  for (const { holder, assigned_to, done_by } of list.tasks.values()) {
    for (const one of [holder, assigned_to, done_by]) if (one) found.set(one.id, one);
  }
  return [...found.values()].sort((a, b) => a.name.localeCompare(b.name));
}

/** The task at a place. */
export function taskAt(list: TaskList, place: Position): Task | null {
  for (const task of list.tasks.values()) if (covers(task.geometry, place)) return task;
  return null;
}

/** The task that this person works on: the server shows the token of nobody else's lease. */
export function ownTask(list: TaskList): Task | null {
  for (const task of list.tasks.values()) if (task.token !== null && (task.state === "in_progress" || task.state === "done")) return task;
  return null;
}

/** "4:05"; nothing is less than no time. */
export function clock(seconds: number): string {
  const left = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
}
