// Metrics as tables, shared by the pages of runs and models.
import type { JSX } from "preact";
import { Table } from "../ui/components";
import { number, percent } from "../ui/format";
import { SHOWN } from "./curves";
import type { ClassMetrics, Epoch, Metrics, Task } from "./types";

/** The headline number of a model: "IoU 71.8 %". */
export function headline(task: Task, metrics: Metrics): string {
  const [first] = SHOWN[task];
  const value = first ? metrics[first.key] : undefined;
  return first && typeof value === "number" ? `${first.label} ${percent(value)}` : "–";
}

/** All numbers of one epoch. */
export function MetricFacts({ task, metrics }: { task: Task; metrics: Metrics }): JSX.Element {
  return (
    <dl class="facts">
      {SHOWN[task].map(({ key, label }) => {
        const value = metrics[key];
        return (
          <>
            <dt key={`${key}-name`}>{label}</dt>
            <dd key={key} class="numeric">
              {typeof value === "number" ? percent(value) : "–"}
            </dd>
          </>
        );
      })}
      {metrics.threshold !== undefined && (
        <>
          <dt>Best score threshold</dt>
          <dd class="numeric">{number(metrics.threshold, 2)}</dd>
        </>
      )}
      {metrics.validation_loss !== undefined && (
        <>
          <dt>Validation loss</dt>
          <dd class="numeric">{number(metrics.validation_loss, 3)}</dd>
        </>
      )}
    </dl>
  );
}

/** One row per class. */
export function ClassTable({ task, rows }: { task: Task; rows: readonly ClassMetrics[] }): JSX.Element {
  const keys: (keyof ClassMetrics)[] = task === "classify_pixels" ? ["iou", "f1", "precision", "recall"] : ["ap50"];
  const labels: Partial<Record<keyof ClassMetrics, string>> = { iou: "IoU", f1: "F1", precision: "Precision", recall: "Recall", ap50: "AP50" };
  return (
    <Table
      label="Metrics by class"
      rows={rows}
      rowKey={(row) => row.name}
      columns={[
        { key: "name", label: "Class", render: (row) => row.name, sort: (row) => row.name },
        ...keys.map((key) => ({
          key,
          label: labels[key] ?? key,
          align: "right" as const,
          render: (row: ClassMetrics) => {
            const value = row[key];
            return <span class="numeric">{typeof value === "number" ? percent(value) : "–"}</span>;
          },
          sort: (row: ClassMetrics) => Number(row[key] ?? 0),
        })),
      ]}
    />
  );
}

/** One row per finished epoch, the newest first. */
export function EpochTable(props: { task: Task; epochs: readonly Epoch[]; best: number | null }): JSX.Element {
  const rows = props.epochs.filter((epoch) => epoch.finished).reverse();
  return (
    <Table
      label="Epochs"
      rows={rows}
      rowKey={(row) => String(row.number)}
      columns={[
        { key: "number", label: "Epoch", render: (row) => `${row.number}${row.number === props.best ? " (best)" : ""}` },
        { key: "train", label: "Training loss", align: "right", render: (row) => number(row.metrics.train_loss, 3) },
        { key: "held", label: "Validation loss", align: "right", render: (row) => number(row.metrics.validation_loss, 3) },
        ...SHOWN[props.task].map(({ key, label }) => ({
          key,
          label,
          align: "right" as const,
          render: (row: Epoch) => {
            const value = row.metrics[key];
            return typeof value === "number" ? percent(value) : "–";
          },
        })),
        { key: "seconds", label: "Seconds", align: "right", hideNarrow: true, render: (row) => number(row.seconds, 1) },
      ]}
    />
  );
}
