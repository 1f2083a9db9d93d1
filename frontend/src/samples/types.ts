// What the samples manager is told.

export interface ClassRow {
  /** null: samples without a class. */
  readonly value: number | null;
  readonly name: string;
  readonly colour: string;
  readonly retired?: boolean;
  readonly count: number;
  readonly verified: number;
  readonly area_m2: number;
  readonly lines: number;
  readonly points: number;
  /** Of its lines. */
  readonly length_m: number;
  readonly pixels: number;
  /** Of all labelled pixels, 0 to 1. */
  readonly share: number;
}

export interface Overview {
  readonly classes: readonly ClassRow[];
  readonly count: number;
  readonly area_m2: number;
  readonly gsd_m: number;
  readonly cells: { readonly with_samples: number; readonly all: number };
  readonly advice: readonly { readonly code: string; readonly tone: "warn" | "ok" | "neutral"; readonly text: string }[];
}

export type Bounds = readonly [number, number, number, number];

export interface BadSample {
  readonly id: string;
  readonly fid: number;
  readonly version: number;
  readonly class_value: number | null;
  readonly area_m2: number;
  readonly verified: boolean;
  readonly geometry: GeoJSON.Geometry;
  readonly bounds: Bounds;
  /** The older one that a duplicate repeats. */
  readonly other?: BadSample | null;
}

export type Fix = "delete" | "repair" | "cut" | "class";

export interface Problem {
  readonly kind: string;
  readonly fixes: readonly Fix[];
  /** null: the search took too long. */
  readonly count: number | null;
  readonly samples: readonly BadSample[];
}
