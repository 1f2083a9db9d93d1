// What the server tells about a file before it is imported, and about a file that it wrote.

export type Bounds = readonly [number, number, number, number];

export interface FileClass {
  readonly value: number;
  readonly name: string;
  readonly colour: string;
  readonly retired: boolean;
}

/** A column of the file; `values` with how often each stands there, null where there are very many. */
export interface FileField {
  readonly name: string;
  readonly types: readonly string[];
  readonly values: readonly (readonly [string, number])[] | null;
}

/** One table (or image) of the file; `error` where it cannot be read here. */
export interface FileTable {
  readonly index: number;
  readonly name: string;
  readonly error?: string;
  readonly count: number;
  readonly without_geometry: number;
  readonly geometry_types: Readonly<Record<string, number>>;
  readonly crs: { readonly id: string; readonly name: string; readonly assumed: boolean } | null;
  readonly assumed_because: string;
  readonly bounds: Bounds | null;
  readonly fields: readonly FileField[];
  readonly rows: readonly { readonly geometry: string; readonly properties: Readonly<Record<string, unknown>> }[];
  readonly shapes: readonly GeoJSON.Geometry[];
  readonly class_field: string;
  readonly notes: readonly string[];
}

export interface Look {
  readonly format: string;
  readonly filename: string;
  readonly tables: readonly FileTable[];
  readonly more_tables: number;
}

export interface ImportReport {
  readonly added: number;
  readonly skipped: Readonly<Record<string, number>>;
  readonly examples: readonly { readonly index: number; readonly code: string; readonly reason: string }[];
  readonly notes: Readonly<Record<string, number>>;
  readonly classes_added: readonly string[];
  readonly fields_dropped: readonly string[];
}

export interface ExportReport {
  readonly url: string;
  readonly filename: string;
  readonly size_bytes: number;
  readonly count: number;
  readonly lost: Readonly<Record<string, number>>;
}

export interface Format {
  readonly key: string;
  readonly label: string;
  readonly holds: string;
  readonly pixels: boolean;
  readonly any_crs: boolean;
}
