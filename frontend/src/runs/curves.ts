// Epochs as curves: pure, so that a test can look at every point.
import type { Epoch, Metrics, Task } from "./types";

/** Aligned columns as uPlot takes them: x first, then one column per curve, null where a curve has no point. */
export interface Curves {
  labels: string[];
  x: number[];
  columns: (number | null)[][];
}

/** Take in epochs that were read later: a finished one never becomes unfinished again. */
export function mergeEpochs(known: readonly Epoch[], told: readonly Epoch[]): Epoch[] {
  const byNumber = new Map(known.map((epoch) => [epoch.number, epoch]));
  for (const epoch of told) {
    const before = byNumber.get(epoch.number);
    if (before?.finished && !epoch.finished) continue;
    byNumber.set(epoch.number, epoch);
  }
  return [...byNumber.values()].sort((a, b) => a.number - b.number);
}

/** The number after which epochs are to be read again: the last finished one. */
export function lastFinished(epochs: readonly Epoch[]): number {
  return epochs.reduce((last, epoch) => (epoch.finished ? Math.max(last, epoch.number) : last), 0);
}

/** Training loss at every told step and validation loss at each epoch's end, over time in epochs. */
export function lossCurves(epochs: readonly Epoch[]): Curves {
  const longest = Math.max(1, ...epochs.flatMap((epoch) => epoch.steps.map(([step]) => step)));
  const points = new Map<number, [number | null, number | null]>();
  for (const epoch of epochs) {
    for (const [step, loss] of epoch.steps) points.set(epoch.number - 1 + step / longest, [loss, null]);
    const held = epoch.metrics.validation_loss;
    if (held !== undefined) points.set(epoch.number, [points.get(epoch.number)?.[0] ?? null, held]);
  }
  return columnsOf(["Training loss", "Validation loss"], points);
}

/** The metrics that a person compares, by task, from 0 to 1. */
export const SHOWN: Record<Task, { key: keyof Metrics; label: string }[]> = {
  classify_pixels: [
    { key: "iou", label: "IoU" },
    { key: "f1", label: "F1" },
    { key: "accuracy", label: "Accuracy" },
  ],
  detect_objects: [
    { key: "ap50", label: "AP50" },
    { key: "precision", label: "Precision" },
    { key: "recall", label: "Recall" },
  ],
};

/** The task's metrics of each finished epoch. */
export function metricCurves(epochs: readonly Epoch[], task: Task): Curves {
  const shown = SHOWN[task];
  const finished = epochs.filter((epoch) => epoch.finished);
  const points = new Map(
    finished.map((epoch) => [
      epoch.number,
      shown.map(({ key }) => {
        const value = epoch.metrics[key];
        return typeof value === "number" ? value : null;
      }),
    ]),
  );
  return columnsOf(
    shown.map(({ label }) => label),
    points,
  );
}

function columnsOf(labels: string[], points: Map<number, (number | null)[]>): Curves {
  const x = [...points.keys()].sort((a, b) => a - b);
  return { labels, x, columns: labels.map((_, at) => x.map((key) => points.get(key)?.[at] ?? null)) };
}
