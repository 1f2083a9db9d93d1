// The dialog in which tasks are chosen for two people, or as ground truth.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { taskFrom } from "../label/tasks/types";
import { STATE_NAMES } from "../label/tasks/types";
import type { Task, TaskListJson } from "../label/tasks/types";
import { get, post } from "../ui/api";
import { Button, Checkbox, Dialog, ErrorNote, Spinner, toast } from "../ui/components";
import { plural } from "../ui/format";

export interface ChooseTasksProps {
  readonly labelSetId: string;
  readonly kind: "double" | "truth";
  readonly onClose: () => void;
  readonly onDone: () => void;
}

/** Tasks that can be: the server looks again, at the samples in them too. */
export function eligible(tasks: readonly Task[], kind: "double" | "truth"): Task[] {
  const states = kind === "double" ? ["todo"] : ["todo", "done", "approved"];
  return tasks.filter((task) => states.includes(task.state) && !task.on_sheets && !(task.holder && task.leased)).sort((a, b) => a.number - b.number);
}

export function ChooseTasks({ labelSetId, kind, onClose, onDone }: ChooseTasksProps): JSX.Element {
  const [tasks, setTasks] = useState<readonly Task[] | null>(null);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    get<TaskListJson>(`/api/label-sets/${labelSetId}/tasks/`).then(({ features }) => setTasks(eligible(features.map(taskFrom), kind)), setError);
  }, [labelSetId, kind]);
  const toggle = (id: string, on: boolean): void => {
    const next = new Set(chosen);
    if (on) next.add(id);
    else next.delete(id);
    setChosen(next);
  };
  const mark = (): void => {
    setBusy(true);
    post<{ count: number }>(`/api/label-sets/${labelSetId}/agreement/tasks`, { kind, tasks: [...chosen] })
      .then(({ count }) => {
        toast(kind === "double" ? `${plural(count, "task")} will be labelled twice.` : `${plural(count, "task")} ${count === 1 ? "is" : "are"} ground truth now.`, "ok");
        onDone();
        onClose();
      }, setError)
      .finally(() => setBusy(false));
  };
  const what = kind === "double" ? "Label twice" : "Make ground truth";
  return (
    <Dialog
      title={kind === "double" ? "Tasks for two people" : "Ground truth"}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" busy={busy} disabled={chosen.size === 0} onClick={mark}>{chosen.size ? `${what}: ${plural(chosen.size, "task")}` : what}</Button>
        </>
      }
    >
      <p class="muted">
        {kind === "double"
          ? "Tasks that are to do. Those in which samples lie already cannot be labelled blindly."
          : "Tasks whose samples are right and complete. The samples are put away until you lift it: they are in no export and no training until then."}
      </p>
      {error !== null && <ErrorNote error={error} />}
      {!tasks && error === null && <Spinner label="Loading tasks" />}
      {tasks?.length === 0 && <p class="note">No task is free for it now.</p>}
      {tasks && tasks.length > 0 && (
        <>
          <Checkbox label={`All ${plural(tasks.length, "task")}`} checked={chosen.size === tasks.length} onChange={(on) => setChosen(new Set(on ? tasks.map(({ id }) => id) : []))} />
          <ul class="choose-tasks" aria-label="Tasks">
            {tasks.map((task) => (
              <li key={task.id}>
                <Checkbox
                  label={<>Task {task.number} <span class="muted">{STATE_NAMES[task.state]}{task.done_by ? `, ${task.done_by.name}` : ""}</span></>}
                  checked={chosen.has(task.id)} onChange={(on) => toggle(task.id, on)}
                />
              </li>
            ))}
          </ul>
        </>
      )}
    </Dialog>
  );
}
