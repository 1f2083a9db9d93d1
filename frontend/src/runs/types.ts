// A run and its epochs as the API shows them.
import type { Job, JobState } from "../jobs/types";

export interface Link {
  id: string;
  name: string;
  url: string;
}

export interface ClassMetrics {
  name: string;
  iou?: number;
  f1?: number;
  precision?: number;
  recall?: number;
  ap50?: number;
  pixels?: number;
}

export interface Metrics {
  train_loss?: number;
  validation_loss?: number;
  learning_rate?: number;
  iou?: number;
  f1?: number;
  accuracy?: number;
  ap50?: number;
  ap?: number;
  precision?: number;
  recall?: number;
  threshold?: number;
  per_class?: ClassMetrics[];
}

export type Task = "classify_pixels" | "detect_objects";

export interface Run {
  id: string;
  project: string;
  name: string;
  network: string;
  task: Task;
  monitor: "iou" | "ap50";
  settings: Record<string, number | string | boolean>;
  training_data: Link;
  best_epoch: number | null;
  metrics: Metrics;
  state: JobState;
  package: Link | null;
  job: Job | null;
  created_by: string | null;
  created_at: string;
  url: string;
}

export interface Epoch {
  number: number;
  metrics: Metrics;
  /** [step, loss] within the epoch. */
  steps: [number, number][];
  seconds: number;
  finished: boolean;
}
