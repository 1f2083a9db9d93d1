// The dialogs of tasks, whichever panel is open, and the word above the map about one's own task.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Button, Dialog, TextInput } from "../../ui/components";
import { Timer } from "./card";
import { GridDialog } from "./grid-dialog";
import { useTasks } from "./hooks";
import { ProgressDialog } from "./progress";
import type { Tasks } from "./tasks";

/** What is open of the tasks' dialogs. */
export function TaskDialogs({ tasks }: { tasks: Tasks }): JSX.Element | null {
  const { dialog, own, chosen, list } = useTasks(tasks);
  const close = (): void => tasks.set({ dialog: "none" });
  // What is under review comes before what is only looked at.
  const returned = own?.state === "done" ? own : chosen === null ? undefined : list.tasks.get(chosen);
  switch (dialog) {
    case "none":
      return null;
    case "grid":
      return <GridDialog tasks={tasks} />;
    case "progress":
      return <ProgressDialog tasks={tasks} />;
    case "skip":
      return own && <ReasonDialog title={`Skip task ${own.number}`} label="Why (others see it)" action="Skip it" needed={false} onSend={(note) => tasks.skip(note)} onClose={close} />;
    case "return":
      return returned ? <ReasonDialog title={`Return task ${returned.number}`} label="What has to change" action="Return it" needed onSend={(note) => tasks.decide(returned, "return", note)} onClose={close} /> : null;
  }
}

/** One's own task in a line above the map, while its panel is not open. */
export function TaskHint({ tasks, onOpen }: { tasks: Tasks; onOpen: () => void }): JSX.Element | null {
  const { own, leaseEndsAt, busy } = useTasks(tasks);
  if (!own) return null;
  const reviewing = own.state === "done";
  return (
    <div class="label-hint">
      <button type="button" class="task-open" onClick={onOpen}>{reviewing ? "Review of task" : "Task"} {own.number}</button>
      <Timer tasks={tasks} endsAt={leaseEndsAt} />
      {reviewing ? (
        <Button small kind="primary" busy={busy} onClick={() => void tasks.decide(own, "approve")}>Approve</Button>
      ) : (
        <Button small kind="primary" busy={busy} disabled={own.must_read} onClick={() => void tasks.finish()}>Done</Button>
      )}
    </div>
  );
}

export interface ReasonDialogProps {
  readonly title: string;
  readonly label: string;
  readonly action: string;
  /** Nothing is sent without a word. */
  readonly needed: boolean;
  readonly onSend: (note: string) => Promise<void>;
  readonly onClose: () => void;
}

export function ReasonDialog({ title, label, action, needed, onSend, onClose }: ReasonDialogProps): JSX.Element {
  const [note, setNote] = useState("");
  const [busy, setBusy] = useState(false);
  const missing = needed && note.trim() === "";
  const send = (): void => {
    if (missing) return;
    setBusy(true);
    void onSend(note.trim()).finally(() => setBusy(false));
  };
  return (
    <Dialog
      title={title}
      onClose={onClose}
      onSubmit={send}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" busy={busy} disabled={missing}>{action}</Button>
        </>
      }
    >
      <TextInput label={label} value={note} rows={3} autofocus maxLength={2000} onChange={setNote} />
    </Dialog>
  );
}
