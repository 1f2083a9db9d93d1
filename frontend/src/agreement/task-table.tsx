// Blind tasks in a table: who has them, how far they are, and the way out.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { del } from "../ui/api";
import { Badge, Button, ConfirmDialog, Table } from "../ui/components";
import type { Column } from "../ui/components";
import { number, percent } from "../ui/format";
import { say } from "./saying";
import type { BlindTask } from "./types";

const STATES: Readonly<Record<BlindTask["state"], { readonly word: string; readonly tone: "neutral" | "warn" | "ok" }>> = {
  open: { word: "open", tone: "neutral" },
  ready: { word: "to adjudicate", tone: "warn" },
  settled: { word: "settled", tone: "ok" },
};

export interface TaskTableProps {
  readonly label: string;
  readonly tasks: readonly BlindTask[];
  readonly mayManage: boolean;
  readonly onChanged: () => Promise<void>;
}

export function TaskTable({ label, tasks, mayManage, onChanged }: TaskTableProps): JSX.Element | null {
  const [lifting, setLifting] = useState<BlindTask | null>(null);
  if (!tasks.length) return null;
  const double = tasks[0]?.kind === "double";
  const people = ({ people: all }: BlindTask): string => all.map(({ name, done }) => (done ? name : `${name} (at work)`)).join(", ") || "nobody yet";
  const columns: Column<BlindTask>[] = [
    { key: "number", label: "Task", render: (task) => number(task.number), sort: (task) => task.number },
    ...(double ? [{ key: "state", label: "State", render: ({ state }: BlindTask) => <Badge tone={STATES[state].tone}>{STATES[state].word}</Badge>, sort: ({ state }: BlindTask) => state }] : []),
    { key: "people", label: "Labelled by", hideNarrow: true, render: people },
    ...(double
      ? [
          { key: "f1", label: "F1", align: "right" as const, render: ({ f1 }: BlindTask) => percent(f1), sort: ({ f1 }: BlindTask) => f1 ?? -1 },
          { key: "iou", label: "Overlap", align: "right" as const, hideNarrow: true, render: ({ iou }: BlindTask) => percent(iou), sort: ({ iou }: BlindTask) => iou ?? -1 },
        ]
      : []),
    ...(mayManage ? [{ key: "lift", label: "", align: "right" as const, render: (task: BlindTask) => task.state === "open" && <Button small onClick={() => setLifting(task)}>{double ? "Label once" : "Lift"}</Button> }] : []),
  ];
  const lift = (task: BlindTask): Promise<void> => del(`/api/tasks/${task.id}/blind`).then(onChanged, say);
  return (
    <section class="stack">
      <h2>{label}</h2>
      <Table label={label} columns={columns} rows={tasks} rowKey={({ id }) => id} />
      {lifting && (
        <ConfirmDialog
          title={double ? `Label task ${lifting.number} once only?` : `Lift the ground truth of task ${lifting.number}?`}
          confirmLabel={double ? "Label once" : "Lift"}
          onConfirm={() => lift(lifting)}
          onClose={() => setLifting(null)}
        >
          {double
            ? "If one person is done with it, that work goes into the label set as theirs. It cannot be done while somebody works on it."
            : "Its samples come back into the label set with their history, and everybody sees them. What people scored on it is forgotten."}
        </ConfirmDialog>
      )}
    </section>
  );
}
