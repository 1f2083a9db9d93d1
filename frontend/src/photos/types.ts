// A set of photos, as `/api/photo-sets/<id>/` tells it.
import type { Bounds } from "../ui/map";
import type { PhotoJson } from "../ui/photo";

export interface PhotoSet {
  id: string;
  project: string;
  name: string;
  bounds: Bounds | null;
  /** Placed ones. */
  count: number;
  photo_count: number;
  /** Those without a place first. */
  photos: PhotoJson[];
}

/** What the job that read photos found. */
export interface ReadReport {
  added: number;
  placed: number;
  unplaced: string[];
  doubles: string[];
  refused: { name: string; message: string; fix: string }[];
}

export interface SetConfig {
  set: PhotoSet;
  may_edit: boolean;
  may_manage: boolean;
  most_bytes: number;
}

export interface NewConfig {
  projects: { id: string; name: string }[];
  project: string;
}
