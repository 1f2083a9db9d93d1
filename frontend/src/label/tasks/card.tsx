// One's own task: what it is, how long the lease lasts, what to do with it.

import type { JSX } from "preact";
import { Button, Menu } from "../../ui/components";
import { area } from "../../ui/format";
import { useSecondsTo } from "./hooks";
import { clock } from "./list";
import { StateDot } from "./dot";
import type { Tasks, TasksView } from "./tasks";
import type { Task } from "./types";

/** Below so many seconds the timer warns. */
const SOON_S = 60;

export function TaskCard({ tasks, view, own }: { tasks: Tasks; view: TasksView; own: Task }): JSX.Element {
  const reviewing = own.state === "done";
  const over = useSecondsTo(view.leaseEndsAt) <= 0;
  return (
    <div class="task-card" role="group" aria-label={reviewing ? `Task ${own.number}, under your review` : `Your task ${own.number}`}>
      <div class="row">
        <StateDot state={own.state} />
        <h3>{reviewing ? `Review of task ${own.number}` : `Your task ${own.number}`}</h3>
        <span class="spacer" />
        <Timer tasks={tasks} endsAt={view.leaseEndsAt} />
      </div>
      <p class="muted small-text">
        {area(own.area_m2)}
        {own.uncertainty !== null && `, model uncertainty ${Math.round(own.uncertainty * 100)} %`}
        {reviewing && own.done_by && `, done by ${own.done_by.name}`}
      </p>
      {over && <p class="small-text">The lease has ended: others can take the task now. Until somebody does you can go on, or extend it.</p>}
      {own.note !== "" && !reviewing && (
        <div class="note warn task-note" role="note">
          <strong>{own.reviewed_by ? `${own.reviewed_by.name} returned it:` : "Skipped before:"}</strong>
          <p>{own.note}</p>
          {own.must_read && <Button small kind="primary" busy={view.busy} onClick={() => void tasks.acknowledge()}>I have read it</Button>}
        </div>
      )}
      <div class="actions">
        <Menu
          label="More to do with the task" small
          items={[
            { label: "Zoom to it", icon: "zoom", onSelect: () => tasks.show(own) },
            { label: "Give it back", icon: "undo", onSelect: () => void tasks.release() },
            ...(reviewing || tasks.options.sheetOf ? [] : [{ label: "Split it in four", icon: "box" as const, onSelect: () => void tasks.split(own) }]),
          ]}
        />
        <span class="spacer" />
        {reviewing ? (
          <>
            <Button title="Shift R" onClick={() => tasks.set({ dialog: "return" })}>Return</Button>
            <Button kind="primary" busy={view.busy} title="Shift A" onClick={() => void tasks.decide(own, "approve")}>Approve</Button>
          </>
        ) : (
          <>
            <Button title="Shift K" onClick={() => tasks.set({ dialog: "skip" })}>Skip</Button>
            <Button kind="primary" busy={view.busy} disabled={own.must_read} title="Ctrl Enter" onClick={() => void tasks.finish()}>Done</Button>
          </>
        )}
      </div>
    </div>
  );
}

/** What is left of the lease. */
export function Timer({ tasks, endsAt }: { tasks: Tasks; endsAt: number }): JSX.Element {
  const left = useSecondsTo(endsAt);
  const over = left <= 0;
  return (
    <>
      <span
        class={left < SOON_S ? "badge warn numeric" : "badge numeric"} role="timer"
        title={over ? "Others can take the task now. Until somebody does, you can go on." : "The task is yours alone for so long; it is renewed while you work."}
      >
        {over ? "ended" : clock(left)}
      </span>
      {left < SOON_S && <Button small onClick={() => void tasks.extend()}>Extend</Button>}
    </>
  );
}
