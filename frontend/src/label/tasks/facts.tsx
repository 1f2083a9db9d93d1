// One task: who has to do with it, its history, and what the person may do.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Button, ErrorNote, IconButton, NumberInput, Select, Spinner } from "../../ui/components";
import { ago, area } from "../../ui/format";
import { StateDot } from "./dot";
import type { Tasks, TasksView } from "./tasks";
import { STATE_NAMES } from "./types";
import type { EventJson, Task } from "./types";

const ACTIONS: Readonly<Record<string, string>> = {
  create: "made", claim: "taken", finish: "done", skip: "skipped", release: "given back", acknowledge: "note read", split: "split", expire: "lease ended",
  review: "under review", approve: "approved", return: "returned", reopen: "opened again", take_away: "taken away", assign: "assigned", prioritise: "priority set",
  blind: "labelled blindly from now on", lift: "not labelled blindly any more", answered: "both versions done", adjudicate: "adjudicated",
  propose: "proposal after the lease", accept: "proposal accepted", reject: "proposal rejected",
};
const OPEN = new Set(["todo", "returned", "skipped"]);

export function TaskFacts({ tasks, view, task }: { tasks: Tasks; view: TasksView; task: Task }): JSX.Element {
  const { mayReview, mayLabel } = tasks.options;
  const own = view.own?.id === task.id;
  const blind = task.on_sheets;
  // A lease that had ended when the list was read can be taken over; the server has the last word.
  const free = OPEN.has(task.state) || (task.state === "in_progress" && !task.leased);
  return (
    <div class="task-facts">
      <div class="row">
        <IconButton small label="All tasks" icon="left" onClick={() => tasks.choose(null)} />
        <StateDot state={task.state} />
        <h3>Task {task.number}</h3>
        <span class="muted">{STATE_NAMES[task.state]}</span>
        <span class="spacer" />
        <IconButton small label="Zoom to it" icon="zoom" onClick={() => tasks.show(task)} />
      </div>
      <dl class="facts small-text">
        <dt>Area</dt><dd class="numeric">{area(task.area_m2)}</dd>
        {task.holder && <><dt>{task.state === "done" ? "Reviewer" : "At work"}</dt><dd>{task.holder.name}</dd></>}
        {task.done_by && <><dt>Done by</dt><dd>{task.done_by.name}</dd></>}
        {task.reviewed_by && <><dt>Reviewed by</dt><dd>{task.reviewed_by.name}</dd></>}
        {task.uncertainty !== null && <><dt>Uncertainty</dt><dd class="numeric">{Math.round(task.uncertainty * 100)} %</dd></>}
        {task.note && <><dt>Note</dt><dd>{task.note}</dd></>}
      </dl>
      <div class="row task-actions">
        {mayLabel && free && !own && !blind && <Button small kind="primary" busy={view.busy} onClick={() => void tasks.claim(task)}>Take it</Button>}
        {mayReview && task.state === "done" && !own && <Button small kind="primary" busy={view.busy} onClick={() => void tasks.claim(task)}>Review it</Button>}
        {mayReview && task.state === "approved" && <Button small onClick={() => tasks.set({ dialog: "return" })}>Return</Button>}
        {mayReview && (task.state === "approved" || task.state === "skipped" || task.state === "returned") && <Button small busy={view.busy} onClick={() => void tasks.decide(task, "reopen")}>Open again</Button>}
        {mayReview && task.state === "in_progress" && !own && !blind && <Button small kind="danger" busy={view.busy} onClick={() => void tasks.decide(task, "take_away")}>Take away</Button>}
        {mayReview && free && !own && !blind && <Button small busy={view.busy} onClick={() => void tasks.split(task)}>Split in four</Button>}
      </div>
      {blind && <p class="small-text muted">Labelled blindly, on sheets. See <a href="agreement/">Agreement</a>.</p>}
      {mayReview && !blind && task.state !== "approved" && <Orders tasks={tasks} view={view} task={task} />}
      <HistoryList tasks={tasks} task={task} />
    </div>
  );
}

function Orders({ tasks, view, task }: { tasks: Tasks; view: TasksView; task: Task }): JSX.Element {
  const [priority, setPriority] = useState<number | null>(task.priority);
  const people = [{ value: "", label: "Anybody" }, ...view.people.map(({ id, name }) => ({ value: String(id), label: name }))];
  const changed = priority !== null && priority !== task.priority && Number.isInteger(priority);
  return (
    <div class="task-orders">
      <Select
        label="For" value={task.assigned_to ? String(task.assigned_to.id) : ""} options={people} disabled={view.busy}
        onChange={(id) => void tasks.change(task, { assigned_to: id === "" ? null : Number(id) })}
      />
      <NumberInput label="Priority" value={priority} step={1} onChange={setPriority} />
      {changed && <Button small busy={view.busy} onClick={() => void tasks.change(task, { priority })}>Set</Button>}
    </div>
  );
}

function HistoryList({ tasks, task }: { tasks: Tasks; task: Task }): JSX.Element {
  const [events, setEvents] = useState<readonly EventJson[] | null>(null);
  const [error, setError] = useState<unknown>(null);
  const { rest } = tasks.options;
  useEffect(() => {
    let here = true;
    rest.detail(task.id).then(
      ({ history }) => here && (setEvents(history), setError(null)),
      (failure: unknown) => here && setError(failure),
    );
    return () => {
      here = false;
    };
  }, [rest, task.id, task.seq]);
  if (error !== null) return <ErrorNote error={error} />;
  if (!events) return <Spinner label="Loading the history" />;
  return (
    <ol class="task-history small-text" aria-label="History">
      {events.map(({ seq, action, actor, note, at }) => (
        <li key={seq}>
          <span>{ACTIONS[action] ?? action}</span>
          <span class="truncate">{actor?.name ?? ""}</span>
          <time class="muted" dateTime={at} title={at}>{ago(at)}</time>
          {note && <p>{note}</p>}
        </li>
      ))}
    </ol>
  );
}
