import { plural } from "../ui/format";
import type { TaskDetail } from "./types";

/** What is said below the list: what a neighbour decided, or that there was nothing. */
export function NothingMore({ task }: { readonly task: Pick<TaskDetail, "differences" | "decided_elsewhere"> }) {
  const count = task.decided_elsewhere;
  if (count > 0) return <p class="muted">{`${plural(count, "object")} on the border ${count === 1 ? "was" : "were"} decided in a neighbouring task.`}</p>;
  return task.differences.length === 0 ? <p class="muted">Both found nothing here.</p> : null;
}
