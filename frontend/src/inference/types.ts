// What the server says about inferences.
import type { Job } from "../jobs/types";
import type { ImageryInfo } from "../ui/map";

export type Task = "classify_pixels" | "detect_objects";

export interface Settings {
  threshold: number;
  max_overlap: number;
  halo_px: number | null;
  core_px: number | null;
  block_px: number | null;
  stitch: "trim" | "blend";
  polygons: boolean;
  min_area_m2: number;
  simplify_px: number;
}

export interface Imagery extends ImageryInfo {
  name: string;
  project: string;
  width: number;
  height: number;
  gsd_m: number;
  dtype: string;
  bands: readonly { name: string }[];
}

export interface Package {
  id: string;
  name: string;
  project: string;
  project_name: string;
  task: Task;
  network: string;
  classes: readonly { value: number; name: string; colour: string }[];
  bands: readonly string[];
  dtype: string;
  resolution_m: number;
  metrics: Readonly<Record<string, unknown>>;
}

export interface NewConfig {
  imagery: readonly Imagery[];
  packages: readonly Package[];
  chosen: { imagery: string; package: string };
  defaults: Readonly<Record<Task, Settings>>;
  projects: Readonly<Record<string, string>>;
}

export interface Estimate {
  fits: boolean;
  problem: { code: string; message: string; fix: string } | null;
  notes: readonly string[];
  blocks: number;
  pixels: number;
  seconds: number | null;
}

/** [lon, lat] */
export type Position = readonly [number, number];

export interface Extent {
  type: "Polygon";
  coordinates: readonly (readonly Position[])[];
}

export interface Link {
  id: string;
  name: string;
  url: string;
}

export interface Result extends Link {
  kind: "class_raster" | "features";
  state: "building" | "ready";
  count?: number;
}

export interface Inference {
  id: string;
  project: string;
  name: string;
  task: Task;
  package: Link;
  imagery: Link;
  extent: Extent | null;
  settings: Settings;
  blocks_total: number;
  blocks_done: number;
  seconds: number;
  results: readonly Result[];
  map: Link | null;
  job: Job | null;
  created_by: string | null;
  created_at: string;
  url: string;
}

export interface PageConfig {
  inference: Inference;
  may_run: boolean;
  may_delete: boolean;
}
