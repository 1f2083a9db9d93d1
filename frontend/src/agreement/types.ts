// What the agreement page is told.

import type { LabelSetInfo } from "../label/label-set-info";
import type { Geometry } from "../label/types";
import type { Bounds } from "../ui/map";

export interface AgreementConfig {
  readonly label_set: LabelSetInfo<{ readonly id: string; readonly bounds: Bounds | null }>;
}

export interface Person {
  readonly id: number;
  readonly name: string;
}

export interface Figures {
  readonly a: number;
  readonly b: number;
  readonly both: number;
  readonly f1: number | null;
  readonly iou: number | null;
  readonly kappa: number | null;
  readonly precision: number | null;
  readonly recall: number | null;
}

export interface WholeFigures extends Figures {
  readonly classes: readonly (Figures & { readonly class_value: number })[];
}

export interface Settings {
  readonly all_on_sheets: boolean;
  readonly agree_iou: number;
  readonly show_scores: boolean;
}

export interface Overview {
  readonly settings: Settings;
  /** Of the label set in all. */
  readonly tasks: number;
  readonly counts: { readonly single: number; readonly double: number; readonly ready: number; readonly settled: number; readonly truth: number };
  readonly agreement: WholeFigures & { readonly tasks: number };
  readonly pairs: readonly (WholeFigures & { readonly people: readonly Person[]; readonly tasks: number })[];
  readonly scores: readonly (WholeFigures & { readonly person: Person; readonly tasks: number })[];
}

export interface BlindTask {
  readonly id: string;
  readonly number: number;
  readonly kind: "double" | "truth";
  readonly state: "open" | "ready" | "settled";
  readonly people: readonly (Person & { readonly done: boolean })[];
  readonly objects: number;
  readonly close: number;
  readonly f1: number | null;
  readonly iou: number | null;
  readonly settled_by: Person | null;
  readonly settled_at: string | null;
}

export interface Version {
  readonly geometry: Geometry;
  readonly class_value: number | null;
}

export type What = "agreed" | "geometry" | "class" | "only_a" | "only_b";

export interface Difference {
  readonly key: string;
  readonly what: What;
  readonly iou: number | null;
  readonly a: Version | null;
  readonly b: Version | null;
}

/** What settling all that is alike did; `failed` could not be stored. */
export interface Settled {
  readonly count: number;
  readonly failed: readonly { readonly number: number; readonly message: string }[];
}

export interface TaskDetail extends BlindTask {
  readonly geometry: Geometry;
  readonly a: Person | null;
  readonly b: Person | null;
  readonly differences: readonly Difference[];
  /** Objects on the border on which a neighbouring task has decided; they are not among the differences. */
  readonly decided_elsewhere: number;
}

export type Take = "a" | "b" | "both" | "none" | "edit";

export interface Decision {
  readonly take: Take;
  readonly geometry?: Geometry;
  readonly class_value?: number | null;
}
