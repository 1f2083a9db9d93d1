// Imagery and uploads as the API shows them.
import type { Bounds } from "../ui/map";

export interface Band {
  name: string;
  min?: number;
  max?: number;
  mean?: number;
  std?: number;
  p2?: number;
  p98?: number;
  histogram?: { edges: number[]; counts: number[] };
}

export interface Layer {
  id: string;
  project: string;
  name: string;
  description: string;
  kind: "scene" | "mosaic" | "class_raster";
  state: "building" | "ready";
  version: number;
  attribution: string;
  width: number;
  height: number;
  epsg: number | null;
  gsd_m: number;
  dtype: string;
  nodata: number | null;
  size_bytes: number;
  /** Of a file that stays on another server. */
  remote: { url: string; etag: string; last_modified: string; item: string } | null;
  bands: Band[];
  classes: { value: number; name: string; colour: string }[];
  rendering: { bands?: number[]; stretch?: [number, number][] | null };
  bounds: Bounds | null;
  min_zoom: number;
  max_zoom: number;
  position_assumed: boolean;
  position_note: string;
  acquired_at: string | null;
  tiles: string;
  tilejson: string;
  url: string;
  created_at: string;
  job: string | null;
}

export interface Upload {
  id: string;
  project: string;
  filename: string;
  size_bytes: number;
  received_bytes: number;
  chunk_bytes: number;
  state: string;
  job: string | null;
}

/** Where a picture lies, as the API takes it; {} where the file knows. */
export interface Position {
  world_file?: string;
  epsg?: number;
  bounds?: [number, number, number, number];
  centre?: [number, number];
  gsd_m?: number;
  note?: string;
}
