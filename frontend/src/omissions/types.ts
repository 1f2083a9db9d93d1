// What the omissions page is told.

import type { Offset } from "../label/imagery/offset";
import type { Geometry, LabelClass } from "../label/types";
import type { ImageryInfo, VectorInfo } from "../ui/map";

export interface OmissionsConfig {
  readonly label_set: {
    readonly id: string;
    readonly name: string;
    readonly role: string;
    readonly url: string;
    readonly imagery: ImageryInfo;
    readonly offsets: readonly Offset[];
    readonly layer: VectorInfo & { readonly classes: readonly LabelClass[] };
  };
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
