// The keys of tasks, in the same table as all others.

import type { Key } from "../bindings";
import type { Tasks } from "./tasks";

export function taskKeys(tasks: Tasks): Key[] {
  const own = (state: "in_progress" | "done", action: () => void): boolean => {
    if (tasks.view.own?.state !== state) return false;
    action();
    return true;
  };
  const key = (id: string, keys: string, label: string, run: () => boolean | undefined): Key => ({ id, keys: [keys], label, group: "Tasks", run });
  const keys: Key[] = [
    key("task.next", "T", "Take the next task, or go back to your own", () => void tasks.next()),
    key("task.done", "Ctrl+Enter", "Your task is done: on to the next", () => own("in_progress", () => void tasks.finish())),
    key("task.skip", "Shift+K", "Skip your task", () => own("in_progress", () => tasks.set({ dialog: "skip" }))),
  ];
  if (!tasks.options.mayReview) return keys;
  return [
    ...keys,
    key("task.review", "Shift+T", "Take the next task to review", () => void tasks.next("review")),
    key("task.approve", "Shift+A", "Approve the task under review", () => own("done", () => tasks.view.own && void tasks.decide(tasks.view.own, "approve"))),
    key("task.return", "Shift+R", "Return it with a note", () => own("done", () => tasks.set({ dialog: "return" }))),
  ];
}
