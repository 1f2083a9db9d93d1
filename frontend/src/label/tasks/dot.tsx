import type { JSX } from "preact";
import { STATE_COLOURS } from "./types";
import type { TaskState } from "./types";

/** A dot in the colour of a state; its name stands beside it. */
export function StateDot({ state }: { state: TaskState }): JSX.Element {
  return <span class="task-dot" aria-hidden="true" ref={(element) => element?.style.setProperty("background", STATE_COLOURS[state])} />;
}
