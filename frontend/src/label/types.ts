// The words of the labeling page: samples, classes, operations. Positions are [lon, lat] in EPSG:4326.

export type Id = string;
export type Position = [number, number];
export type Geometry = GeoJSON.Point | GeoJSON.LineString | GeoJSON.Polygon | GeoJSON.MultiPoint | GeoJSON.MultiLineString | GeoJSON.MultiPolygon;
export type Properties = Readonly<Record<string, unknown>>;

/** One labelled feature as the server knows it, or as it will be once pending operations are saved. */
export interface Sample {
  readonly id: Id;
  readonly geometry: Geometry;
  readonly classValue: number | null;
  readonly properties: Properties;
  /** 0: not yet saved. */
  readonly version: number;
  readonly fid: number | null;
  readonly score: number | null;
  readonly source: string;
  readonly verified: boolean;
  readonly updatedBy: string | null;
}

export interface LabelClass {
  readonly value: number;
  readonly name: string;
  readonly colour: string;
  readonly position: number;
  readonly retired: boolean;
  /** What may be drawn as it; absent: anything. */
  readonly shapes?: readonly ClassShape[];
}

export type ClassShape = "point" | "line" | "polygon";

/** The right to work on a task: its fencing token tells it from older and newer ones. */
export interface Lease {
  readonly id: Id;
  readonly token: number;
}

export type Action = "create" | "update" | "delete";

/** The fields that an operation sets; what is absent stays as it is. */
export interface Patch {
  readonly geometry?: Geometry;
  readonly classValue?: number | null;
  readonly properties?: Properties;
  /** A person stands behind it: accepted, or (undoing that) no longer. Any other change accepts by itself. */
  readonly verified?: boolean;
}

/** What a reviewer decided on a sample that somebody else, or a model, made. */
export type Verdict = "accept" | "fix" | "reject";

/**
 * One change of one sample, made here and not yet saved. Never altered once made: it may have reached the server
 * under its `opId` without our knowing, and a repeated `opId` is answered with the first answer.
 */
export interface Operation {
  readonly opId: Id;
  readonly id: Id;
  readonly action: Action;
  readonly patch: Patch;
  /** The sample as its author saw it; null for a create. */
  readonly base: Sample | null;
  /** Rises with each operation of this browser, across reloads. */
  readonly order: number;
  /** Under which it was drawn; where somebody else holds the task by now, the server keeps it as a proposal. */
  readonly lease?: Lease;
  /** Shared by operations that are stored together or not at all: the pieces of a split, the parts of a merge. */
  readonly group?: Id;
  /** The operation carries out a review decision. */
  readonly review?: Verdict;
}

export type Field = "geometry" | "class" | "properties" | "existence";

/** Two people changed the same thing in different ways; one of them must decide. */
export interface Conflict {
  readonly opId: Id;
  readonly id: Id;
  readonly fields: readonly Field[];
  readonly base: Sample | null;
  /** Null: deleted by me. */
  readonly mine: Sample | null;
  /** Null: deleted by them. */
  readonly theirs: Sample | null;
}

export type Choice = "mine" | "theirs" | "both";

/** An operation that the server will not take, with its reason. */
export interface Problem {
  readonly opId: Id;
  readonly id: Id;
  readonly message: string;
  /** The server's word for the reason. */
  readonly code: string;
}

/** One row of the layer's edit log. */
export interface LogRow {
  readonly seq: number;
  readonly opId: Id;
  readonly action: Action;
  readonly id: Id;
  readonly version: number;
  /** The sample after the edit; null after a delete. */
  readonly sample: Sample | null;
}

/**
 * `aborted`: nothing wrong with it, but another of its batch failed. `proposed`: kept beside its task, which somebody
 * else holds by now.
 */
export type ResultStatus = "ok" | "conflict" | "gone" | "invalid" | "aborted" | "proposed";

/** The server's answer to one operation. */
export interface Result {
  readonly opId: Id;
  readonly status: ResultStatus;
  /** The sample as it is now; null where it is deleted or unknown. */
  readonly sample: Sample | null;
  /** Version of the sample now, of its tombstone where it is deleted; 0 unknown. */
  readonly version: number;
  readonly code: string;
  readonly message: string;
}

export interface Member {
  readonly id: string;
  readonly name: string;
  /** Samples that they have open to change: a hint, never a lock. */
  readonly editing?: readonly Id[];
}

export interface Cursor extends Member {
  readonly position: Position;
  readonly at: number;
}

/** A UUID, also where the page is served without https and `crypto.randomUUID` is missing. */
export function newId(): Id {
  if (typeof crypto.randomUUID === "function") return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
