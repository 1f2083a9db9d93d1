// The Tasks panel: one's own task, what is left, and every task of the label set.

import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import { Button, ConfirmDialog, EmptyState, Icon, Menu, Select } from "../../ui/components";
import { number, plural } from "../../ui/format";
import { SheetNote } from "../agreement/sheet-note";
import { TaskCard } from "./card";
import { StateDot } from "./dot";
import { TaskFacts } from "./facts";
import { useTasks } from "./hooks";
import { countsOf, filtered, peopleOf } from "./list";
import { Proposals } from "./proposals";
import type { Tasks, TasksView } from "./tasks";
import { STATE_COLOURS, STATE_NAMES, STATES } from "./types";
import type { Task, TaskOrder, TaskState } from "./types";

/** So many rows are made at once. */
const PAGE = 100;

export function TasksPanel({ tasks, nameOf }: { tasks: Tasks; nameOf: (value: number | null) => string }): JSX.Element {
  const view = useTasks(tasks);
  const [clearing, setClearing] = useState(false);
  const { list, own, loaded } = view;
  const { mayReview, mayLabel } = tasks.options;
  const chosen = view.chosen === null ? undefined : list.tasks.get(view.chosen);
  return (
    <section class="label-section tasks" aria-label="Tasks">
      {tasks.options.sheetOf && <SheetNote labelSetUrl={tasks.options.sheetOf} />}
      {loaded && list.tasks.size === 0 && !list.onSheets && (
        <EmptyState
          title="No tasks yet"
          actions={mayReview && <Button kind="primary" onClick={() => tasks.set({ dialog: "grid" })}>Cut into tasks</Button>}
        >
          {mayReview ? "Cut the area into cells that people take one at a time. Nobody draws the same place twice, and everybody sees what is left." : "A reviewer can cut the area into tasks. Until then, draw where you like."}
        </EmptyState>
      )}
      {own ? <TaskCard tasks={tasks} view={view} own={own} /> : (list.tasks.size > 0 || list.onSheets) && mayLabel && <NextTask tasks={tasks} view={view} />}
      <Proposals tasks={tasks} view={view} nameOf={nameOf} />
      {list.tasks.size > 0 && (
        <>
          <div class="row tasks-head">
            <h3>{plural(list.tasks.size, "task")}</h3>
            <span class="spacer" />
            <Button small onClick={() => tasks.set({ dialog: "progress" })}><Icon name="run" /> Progress</Button>
            {mayReview && (
              <Menu
                label="More about tasks" small end
                items={[
                  { label: "Agreement and ground truth", icon: "check", onSelect: () => location.assign("agreement/") },
                  { label: "Cut more tasks", icon: "box", onSelect: () => tasks.set({ dialog: "grid" }) },
                  { label: "Remove untouched tasks", icon: "close", danger: true, onSelect: () => setClearing(true) },
                ]}
              />
            )}
          </div>
          <StateBar tasks={[...list.tasks.values()]} />
          {chosen ? <TaskFacts tasks={tasks} view={view} task={chosen} /> : <TaskRows tasks={tasks} view={view} />}
        </>
      )}
      {clearing && (
        <ConfirmDialog title="Remove untouched tasks?" confirmLabel="Remove" danger onConfirm={() => tasks.removeUntouched()} onClose={() => setClearing(false)}>
          Tasks that somebody has ever taken or was given stay, with their history. Samples are not touched.
        </ConfirmDialog>
      )}
    </section>
  );
}

const ORDERS: readonly { value: TaskOrder; label: string }[] = [
  { value: "near", label: "the nearest" },
  { value: "priority", label: "the highest priority" },
  { value: "uncertainty", label: "where a model is least sure" },
];

function NextTask({ tasks, view }: { tasks: Tasks; view: TasksView }): JSX.Element {
  const counts = countsOf(view.list.tasks.values());
  return (
    <div class="task-next">
      <Select label="First" value={view.order} options={ORDERS} onChange={(order) => tasks.set({ order: order as TaskOrder })} />
      <div class="actions">
        <Button kind="primary" busy={view.busy} title="T" onClick={() => void tasks.next()}>Next task</Button>
        {tasks.options.mayReview && (
          <Button busy={view.busy} disabled={counts.done === 0} title="Shift T" onClick={() => void tasks.next("review")}>
            Review {counts.done > 0 && number(counts.done)}
          </Button>
        )}
      </div>
    </div>
  );
}

/** How many tasks are in each state, as one bar with its legend. */
function StateBar({ tasks }: { tasks: readonly Task[] }): JSX.Element {
  const counts = countsOf(tasks);
  const shown = STATES.filter((state) => counts[state] > 0);
  return (
    <div>
      <div class="task-bar" aria-hidden="true">
        {shown.map((state) => (
          <span
            key={state}
            ref={(element) => {
              element?.style.setProperty("flex-grow", String(counts[state]));
              element?.style.setProperty("background", STATE_COLOURS[state]);
            }}
          />
        ))}
      </div>
      <ul class="task-legend small-text" aria-label="Tasks by state">
        {shown.map((state) => (
          <li key={state}><StateDot state={state} /> {STATE_NAMES[state]} <span class="numeric">{number(counts[state])}</span></li>
        ))}
      </ul>
    </div>
  );
}

function whose(task: Task): string {
  if (task.holder) return task.holder.name;
  if (task.state === "done" || task.state === "approved") return task.done_by?.name ?? "";
  return task.assigned_to ? `for ${task.assigned_to.name}` : "";
}

function TaskRows({ tasks, view }: { tasks: Tasks; view: TasksView }): JSX.Element {
  const [most, setMost] = useState(PAGE);
  const { wanted, list } = view;
  const rows = useMemo(() => filtered(list, wanted), [list, wanted]);
  const people = useMemo(() => peopleOf(list), [list]);
  const state = (value: string): void => tasks.set({ wanted: { ...wanted, state: value as TaskState | "" } });
  return (
    <>
      <div class="row task-filters">
        <select class="select" aria-label="Show tasks that are" value={wanted.state} onChange={(event) => state(event.currentTarget.value)}>
          <option value="">Any state</option>
          {STATES.map((one) => <option key={one} value={one}>{STATE_NAMES[one]}</option>)}
        </select>
        <select class="select" aria-label="Show tasks of" value={wanted.person} onChange={(event) => tasks.set({ wanted: { ...wanted, person: event.currentTarget.value } })}>
          <option value="">Everybody</option>
          {people.map(({ id, name }) => <option key={id} value={String(id)}>{name}</option>)}
        </select>
      </div>
      {rows.length === 0 && <p class="muted small-text">No task is like that.</p>}
      <ul class="task-rows" aria-label="Tasks">
        {rows.slice(0, most).map((task) => (
          <li key={task.id}>
            <button
              type="button" class="task-row" aria-label={`Task ${task.number}, ${STATE_NAMES[task.state]}`}
              onClick={() => {
                tasks.choose(task.id);
                tasks.show(task);
              }}
            >
              <StateDot state={task.state} />
              <span class="numeric">{task.number}</span>
              <span class="truncate">{STATE_NAMES[task.state]}{task.proposals > 0 ? ` · ${plural(task.proposals, "proposal")}` : ""}</span>
              <span class="muted small-text truncate">{whose(task)}</span>
            </button>
          </li>
        ))}
      </ul>
      {rows.length > most && <Button small onClick={() => setMost(most + 5 * PAGE)}>Show more ({number(rows.length - most)})</Button>}
    </>
  );
}
