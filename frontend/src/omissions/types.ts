// What the omissions page is told.

import type { LabelSetInfo } from "../label/label-set-info";
import type { Geometry } from "../label/types";
import type { VectorInfo } from "../ui/map";

export interface OmissionsConfig {
  readonly label_set: LabelSetInfo<VectorInfo>;
}

export interface DetectionLayer {
  readonly id: string;
  readonly name: string;
  readonly count: number;
  readonly classes: readonly { readonly value: number; readonly name: string; readonly colour: string }[];
}

export interface Detection {
  readonly id: string;
  readonly geometry: Geometry;
  readonly meta: { readonly class_value: number | null; readonly score: number | null };
}

export interface OmissionPage {
  /** Null on pages after the first, and where counting took too long. */
  readonly count: number | null;
  /** The count goes no further. */
  readonly most: number;
  readonly next: string | null;
  readonly features: readonly Detection[];
  /** Which class of the label set a class of the detections is. */
  readonly classes: Readonly<Record<string, number>>;
}

export interface Wanted {
  readonly layer: string;
  /** 0 to 1. */
  readonly score: number;
  readonly cover: number;
  /** Of the detections; "": all. */
  readonly classValue: string;
}
