// The keys of tasks, in the same table as all others.

import type { Key } from "../keys";
import type { Tasks } from "./tasks";

const plain = (event: KeyboardEvent): boolean => !event.ctrlKey && !event.metaKey && !event.altKey;
const is = (name: string, shift: boolean) => (event: KeyboardEvent): boolean => plain(event) && event.shiftKey === shift && event.key.toLowerCase() === name;

export function taskKeys(tasks: Tasks): Key[] {
  const own = (state: "in_progress" | "done", action: () => void): boolean => {
    if (tasks.view.own?.state !== state) return false;
    action();
    return true;
  };
  const keys: Key[] = [
    { shown: ["T"], label: "Take the next task, or go back to your own", group: "Tasks", matches: is("t", false), run: () => void tasks.next() },
    {
      shown: ["Ctrl", "Enter"], label: "Your task is done: on to the next", group: "Tasks",
      matches: (event) => (event.ctrlKey || event.metaKey) && event.key === "Enter",
      run: () => own("in_progress", () => void tasks.finish()),
    },
    { shown: ["Shift", "K"], label: "Skip your task", group: "Tasks", matches: is("k", true), run: () => own("in_progress", () => tasks.set({ dialog: "skip" })) },
  ];
  if (!tasks.options.mayReview) return keys;
  return [
    ...keys,
    { shown: ["Shift", "T"], label: "Take the next task to review", group: "Tasks", matches: is("t", true), run: () => void tasks.next("review") },
    { shown: ["Shift", "A"], label: "Approve the task under review", group: "Tasks", matches: is("a", true), run: () => own("done", () => tasks.view.own && void tasks.decide(tasks.view.own, "approve")) },
    { shown: ["Shift", "R"], label: "Return it with a note", group: "Tasks", matches: is("r", true), run: () => own("done", () => tasks.set({ dialog: "return" })) },
  ];
}
