// Training data as the API shows it.
import type { Job, JobState } from "../jobs/types";
import type { Link, Run, Task } from "../runs/types";

export interface ClassCount {
  value: number;
  name: string;
  colour: string;
  chips: number;
  count: number;
}

export interface Statistics {
  chips?: { train: number; validation: number; dropped: number };
  counted?: "pixels" | "objects";
  classes?: ClassCount[];
  bands?: string[];
  dtype?: string;
  resolution_m?: number;
  chip_px?: number;
}

export interface TrainingData {
  id: string;
  project: string;
  name: string;
  task: Task;
  metadata_format: string;
  layer_seq: number;
  imagery_version: number;
  label_set: Link;
  imagery: Link;
  /** As it was asked for; with the offset that the imagery had then. */
  spec: { imagery_offset?: { east_m: number; north_m: number } } & Record<string, unknown>;
  statistics: Statistics;
  size_bytes: number;
  state: JobState;
  samples: string[];
  job: Job | null;
  created_by: string | null;
  created_at: string;
  url: string;
}

export interface DetailConfig {
  training_data: TrainingData;
  runs: Run[];
  defaults: Record<string, number | boolean>;
  may_train: boolean;
  may_delete: boolean;
}

export interface NewConfig {
  label_set: Link;
  imagery: { name: string; gsd_m: number; width: number; height: number; bands: string[] };
  labels: number;
  /** Of these, lines and points, which training does not take. */
  left_out: number;
  formats: string[];
}
