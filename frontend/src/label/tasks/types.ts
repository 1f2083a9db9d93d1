// The words of tasks, and the server's JSON of them.

import type { Geometry, Id } from "../types";

export type TaskState = "todo" | "in_progress" | "done" | "approved" | "returned" | "skipped";

export const STATES: readonly TaskState[] = ["todo", "in_progress", "returned", "skipped", "done", "approved"];

export const STATE_NAMES: Readonly<Record<TaskState, string>> = {
  todo: "To do",
  in_progress: "In progress",
  returned: "Returned",
  skipped: "Skipped",
  done: "Done",
  approved: "Approved",
};

/** On imagery and in the panel alike, in light and dark. */
export const STATE_COLOURS: Readonly<Record<TaskState, string>> = {
  todo: "#aab4b1",
  in_progress: "#4dabf7",
  returned: "#ff6b6b",
  skipped: "#b197fc",
  done: "#ffd43b",
  approved: "#51cf66",
};

export interface Person {
  readonly id: number;
  readonly name: string;
}

export interface TaskJson {
  readonly id: Id;
  readonly geometry: Geometry;
  readonly properties: {
    readonly number: number;
    readonly state: TaskState;
    readonly priority: number;
    readonly uncertainty: number | null;
    readonly seq: number;
    readonly assigned_to: Person | null;
    readonly holder: Person | null;
    readonly done_by: Person | null;
    readonly reviewed_by: Person | null;
    /** The lease had not ended when this was asked. */
    readonly leased: boolean;
    readonly lease_s: number;
    readonly note: string;
    readonly must_read: boolean;
    readonly split: boolean;
    /** Labelled blindly, each person on a sheet of the own; only reviewers are told. */
    readonly on_sheets: boolean;
    readonly area_m2: number;
    readonly proposals: number;
    /** Of one's own lease only. */
    readonly token: number | null;
  };
}

export interface TaskListJson {
  readonly seq: number;
  readonly count: number;
  /** There are tasks that are handed out on sheets, listed or not. */
  readonly on_sheets?: boolean;
  readonly features: readonly TaskJson[];
}

export type Task = { readonly id: Id; readonly geometry: Geometry } & TaskJson["properties"];

export interface EventJson {
  readonly seq: number;
  readonly action: string;
  readonly from: string;
  readonly to: string;
  readonly actor: Person | null;
  readonly note: string;
  readonly at: string;
}

export interface Proposal {
  readonly id: Id;
  readonly task: Id;
  readonly number: number;
  readonly action: "create" | "update" | "delete";
  readonly feature_id: Id;
  readonly geometry: Geometry | null;
  readonly class_value: number | null;
  readonly author: Person | null;
  readonly created_at: string;
}

export interface Progress {
  readonly states: Readonly<Record<TaskState, number>>;
  readonly days: readonly ({ readonly day: string } & Readonly<Record<TaskState, number>>)[];
  readonly people: readonly { readonly person: Person; readonly finished: number; readonly approved: number; readonly returned: number; readonly skipped: number; readonly reviewed: number }[];
}

export type GridKind = "metres" | "pixels" | "tiles" | "polygons";

export interface GridBody {
  readonly kind: GridKind;
  readonly size: number;
  readonly area: unknown;
  readonly polygons: unknown;
}

export interface Preview {
  readonly count: number;
  /** Part of the area, 0 to 1, that other tasks cover already. */
  readonly covered: number;
  readonly cells: { readonly features: readonly { readonly geometry: Geometry }[] };
}

export type TaskOrder = "near" | "priority" | "uncertainty";
export type Purpose = "label" | "review";

export function taskFrom(json: TaskJson): Task {
  return { id: json.id, geometry: json.geometry, ...json.properties };
}
