// Between the server's JSON and the page's words.

import type { Action, Cursor, Geometry, Id, LabelClass, Lease, LogRow, Member, Operation, Properties, Result, ResultStatus, Sample, Verdict } from "./types";

export interface FeatureJson {
  readonly type: "Feature";
  readonly id: Id;
  readonly geometry: Geometry;
  readonly properties: Properties | null;
  readonly meta: {
    readonly fid: number;
    readonly version: number;
    readonly class_value: number | null;
    readonly score: number | null;
    readonly source: string;
    readonly verified: boolean;
    readonly deleted?: boolean;
    readonly updated_by: { readonly id: number; readonly name: string } | null;
  };
}

export interface CollectionJson {
  readonly features: readonly FeatureJson[];
  readonly seq: number;
  readonly truncated: boolean;
}

export interface EditRowJson {
  readonly seq: number;
  readonly op_id: Id;
  readonly id: Id;
  readonly action: Action;
  readonly version: number;
  readonly feature: FeatureJson | null;
}

export interface ResultJson {
  readonly op_id: Id;
  readonly status: ResultStatus;
  readonly seq: number | null;
  readonly version: number | null;
  readonly feature: FeatureJson | null;
  readonly error: { readonly code: string; readonly message: string; readonly fix: string } | null;
}

export interface EditJson {
  readonly op_id: Id;
  readonly action: Action;
  readonly id: Id;
  readonly base_version: number;
  readonly geometry?: Geometry;
  readonly class_value?: number;
  readonly properties?: Properties;
  readonly task?: Lease;
  readonly verified?: boolean;
  readonly review?: Verdict;
}

interface CursorJson {
  readonly id: string | number;
  readonly name: string;
  readonly lon: number;
  readonly lat: number;
}

/** What the layer's socket says. */
export type ServerMessage =
  | { readonly type: "welcome"; readonly seq: number; readonly role: string; readonly members: readonly MemberJson[]; readonly classes?: readonly LabelClass[] }
  | { readonly type: "edits"; readonly edits: readonly EditRowJson[]; readonly seq: number }
  | { readonly type: "results"; readonly results: readonly ResultJson[] }
  | { readonly type: "classes"; readonly classes: readonly LabelClass[] }
  | { readonly type: "role"; readonly role: string }
  | { readonly type: "presence"; readonly members: readonly MemberJson[] }
  | { readonly type: "cursors"; readonly cursors: readonly CursorJson[] }
  | { readonly type: "tasks"; readonly seq: number }
  | { readonly type: "comments" }
  | { readonly type: "offsets" }
  | { readonly type: "resync" }
  | { readonly type: "pong" }
  | { readonly type: "error"; readonly code: string; readonly message: string; readonly fix: string };

interface MemberJson {
  readonly id: string | number;
  readonly name: string;
  readonly editing?: readonly Id[];
}

/** With this class value an edit takes a sample's class away. */
const NO_CLASS = 0;

export function sampleFrom(json: FeatureJson): Sample {
  const { meta } = json;
  return {
    id: json.id,
    geometry: json.geometry,
    classValue: meta.class_value,
    properties: json.properties ?? {},
    version: meta.version,
    fid: meta.fid,
    score: meta.score,
    source: meta.source,
    verified: meta.verified,
    updatedBy: meta.updated_by?.name ?? null,
  };
}

export function rowFrom(json: EditRowJson): LogRow {
  const sample = json.feature && sampleFrom(json.feature);
  return { seq: json.seq, opId: json.op_id, action: json.action, id: json.id, version: json.version, sample };
}

export function resultFrom(json: ResultJson): Result {
  const living = json.feature && !json.feature.meta.deleted ? json.feature : null;
  return {
    opId: json.op_id,
    status: json.status,
    sample: living && sampleFrom(living),
    version: json.version ?? 0,
    code: json.error?.code ?? "",
    message: json.error ? `${json.error.message} ${json.error.fix}`.trim() : "",
  };
}

export function editFrom(operation: Operation, baseVersion: number): EditJson {
  const { geometry, classValue, properties, verified } = operation.patch;
  return {
    op_id: operation.opId,
    action: operation.action,
    id: operation.id,
    base_version: baseVersion,
    ...(geometry ? { geometry } : {}),
    ...(classValue === undefined ? {} : { class_value: classValue ?? NO_CLASS }),
    ...(properties ? { properties } : {}),
    ...(verified === undefined ? {} : { verified }),
    ...(operation.review ? { review: operation.review } : {}),
    ...(operation.lease ? { task: operation.lease } : {}),
  };
}

export function memberFrom(json: MemberJson): Member {
  return { id: String(json.id), name: json.name, editing: json.editing ?? [] };
}

export function cursorFrom(json: CursorJson, now: number): Cursor {
  return { id: String(json.id), name: json.name, position: [json.lon, json.lat], at: now };
}
