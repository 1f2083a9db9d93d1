// The HTTP side of tasks.

import { del, get, patch, post } from "../../ui/api";
import type { Id } from "../types";
import type { EventJson, GridBody, Person, Preview, Progress, Proposal, Purpose, TaskJson, TaskListJson, TaskOrder } from "./types";

/** In an address: a task was just taken there. */
export const TAKEN = "?taken";

export interface NextBody {
  readonly order: TaskOrder;
  readonly purpose: Purpose;
  readonly lon: number;
  readonly lat: number;
}

/** Calls below a label set's URL ("/api/label-sets/<id>/"). */
export interface TaskRest {
  list(after: number): Promise<TaskListJson>;
  next(body: NextBody): Promise<TaskJson | null>;
  work(id: Id, body: Readonly<Record<string, unknown>>): Promise<TaskJson>;
  split(id: Id, token: number | null): Promise<readonly TaskJson[]>;
  review(id: Id, body: Readonly<Record<string, unknown>>): Promise<TaskJson>;
  change(id: Id, body: Readonly<Record<string, unknown>>): Promise<TaskJson>;
  detail(id: Id): Promise<TaskJson & { readonly history: readonly EventJson[] }>;
  progress(): Promise<Progress>;
  proposals(): Promise<readonly Proposal[]>;
  decide(id: Id, action: "accept" | "reject"): Promise<unknown>;
  preview(body: GridBody, signal: AbortSignal): Promise<Preview>;
  create(body: GridBody): Promise<{ count: number }>;
  removeUntouched(): Promise<{ count: number }>;
  /** Members who can be given a task. */
  labelers(): Promise<readonly Person[]>;
}

interface MemberJson {
  readonly user: { readonly id: number; readonly username: string; readonly name: string };
  readonly role: string;
}

interface NextJson {
  readonly task: TaskJson | null;
  readonly label_set: { readonly id: Id; readonly url: string } | null;
}

/** `go`: the next task may lie on one's own sheet, or from there in the label set: another page, which takes it up. */
export function taskRest(labelSet: Id, project: Id, go: (url: string) => void): TaskRest {
  const base = `/api/label-sets/${labelSet}/`;
  return {
    list: (after) => get<TaskListJson>(`${base}tasks/?after=${after}`),
    next: async (body) => {
      const { task, label_set: where } = await post<NextJson>(`${base}tasks/next`, body);
      if (!task || !where || where.id === labelSet) return task;
      go(`${where.url}${TAKEN}`);
      // The page is on its way out: nothing goes on here.
      return new Promise<never>(() => undefined);
    },
    work: (id, body) => post<TaskJson>(`/api/tasks/${id}/work`, body),
    split: async (id, token) => (await post<{ parts: TaskJson[] }>(`/api/tasks/${id}/work`, { action: "split", token })).parts,
    review: (id, body) => post<TaskJson>(`/api/tasks/${id}/review`, body),
    change: (id, body) => patch<TaskJson>(`/api/tasks/${id}/`, body),
    detail: (id) => get(`/api/tasks/${id}/`),
    progress: () => get<Progress>(`${base}tasks/progress`),
    proposals: async () => (await get<{ results: Proposal[] }>(`${base}proposals`)).results,
    decide: (id, action) => post(`/api/proposals/${id}/`, { action }),
    preview: (body, signal) => post<Preview>(`${base}tasks/preview`, body, { signal }),
    create: (body) => post<{ count: number }>(`${base}tasks/`, body),
    removeUntouched: () => del<{ count: number }>(`${base}tasks/`),
    labelers: async () => {
      const { results } = await get<{ results: MemberJson[] }>(`/api/projects/${project}/members/?limit=200`);
      return results.filter(({ role }) => role !== "viewer").map(({ user }) => ({ id: user.id, name: user.name || user.username }));
    },
  };
}
