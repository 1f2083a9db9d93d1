import { useEffect, useState } from "preact/hooks";
import type { Tasks, TasksView } from "./tasks";

/** The tasks' view; renders anew when it changes. */
export function useTasks(tasks: Tasks): TasksView {
  const [view, setView] = useState(tasks.view);
  useEffect(() => {
    setView(tasks.view);
    return tasks.subscribe(() => setView(tasks.view));
  }, [tasks]);
  return view;
}

/** The seconds until a moment of this page's clock, each second anew. */
export function useSecondsTo(moment: number): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const ticking = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(ticking);
  }, []);
  return (moment - Math.max(now, 0)) / 1000;
}
