// What pages about a label set are told of it.

import type { ImageryInfo } from "../ui/map";
import type { Offset } from "./imagery/offset";
import type { LabelClass } from "./types";

/** `Layer`: what a page draws of its samples. */
export interface LabelSetInfo<Layer> {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  readonly url: string;
  readonly imagery: ImageryInfo;
  /** Of the own imagery first. */
  readonly offsets: readonly Offset[];
  readonly layer: Layer & { readonly classes: readonly LabelClass[] };
}
