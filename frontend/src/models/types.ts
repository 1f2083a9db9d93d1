// A model package as the API shows it.
import type { Link, Metrics, Task } from "../runs/types";

export interface ModelClass {
  value: number;
  name: string;
  colour: string;
}

export interface Model {
  id: string;
  project: string;
  project_name: string;
  name: string;
  description: string;
  task: Task;
  network: string;
  source: "trained" | "installed";
  classes: ModelClass[];
  bands: string[];
  dtype: string;
  resolution_m: number;
  chip_px: number;
  metrics: Metrics;
  data: {
    chips?: { train: number; validation: number };
    training_data?: { id: string; name: string };
    source?: { imagery?: { name: string }; label_set?: { name: string; layer_seq: number }; attribution?: string[] };
    settings?: Record<string, unknown>;
  };
  sha256: string;
  size_bytes: number;
  installed: boolean;
  samples: { image: string; truth: string; prediction: string }[];
  run: Link | null;
  uses: number | null;
  created_by: string | null;
  created_at: string;
  download: string | null;
  url: string;
}

export interface Use {
  id: string;
  name: string;
  imagery: string;
  created_at: string;
  url: string;
}

export interface ListConfig {
  models: Model[];
  /** Where the reader may install. */
  projects: { id: string; name: string }[];
}

export interface ModelConfig {
  model: Model;
  used_by: Use[];
  may_manage: boolean;
  may_run: boolean;
}
