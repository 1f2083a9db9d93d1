// The HTTP side of review and comments.

import { del, get, patch, post } from "../../ui/api";
import type { Id, Position } from "../types";
import type { FeatureJson } from "../wire";

export type What = "suggested" | "drawn" | "unseen";
export type Order = "high" | "low" | "place";

export interface Wanted {
  readonly what: What;
  readonly order: Order;
  /** "": any. */
  readonly classValue: string;
  /** Layer of what a model found, for `unseen`. */
  readonly results: string;
}

/** What a model found here. */
export interface Results {
  readonly id: Id;
  readonly name: string;
}

export interface Page {
  readonly count: number;
  readonly next: string | null;
  readonly features: readonly FeatureJson[];
}

/** How decisions on one maker's samples of one class fell. */
export interface Figure {
  readonly person: Person | null;
  readonly source: string;
  readonly class_value: number | null;
  readonly accepted: number;
  readonly fixed: number;
  readonly rejected: number;
}

export interface Person {
  readonly id: number;
  readonly name: string;
}

export interface Remark {
  readonly id: Id;
  readonly parent: Id | null;
  readonly feature: Id | null;
  readonly lon: number;
  readonly lat: number;
  readonly text: string;
  readonly author: Person | null;
  readonly at: string;
  readonly resolved_at: string | null;
  readonly resolved_by: Person | null;
  readonly mentions: readonly Person[];
  readonly must_read: boolean;
}

export interface Thread extends Remark {
  readonly answers: readonly Remark[];
}

export interface NewRemark {
  readonly id: Id;
  readonly text: string;
  readonly place: Position | null;
  readonly feature: Id | null;
  readonly parent: Id | null;
}

/** Somebody who can be named: `@username`. */
export interface Nameable {
  readonly username: string;
  readonly name: string;
}

export interface ReviewRest {
  stream(wanted: Wanted, after: string | null): Promise<Page>;
  countAbove(score: number, classValue: string): Promise<number>;
  acceptAbove(score: number, classValue: string): Promise<number>;
  results(): Promise<readonly Results[]>;
  figures(): Promise<readonly Figure[]>;
  threads(resolved: boolean): Promise<readonly Thread[]>;
  write(remark: NewRemark): Promise<unknown>;
  change(id: Id, body: { readonly resolved?: boolean; readonly read?: true }): Promise<unknown>;
  remove(id: Id): Promise<unknown>;
  nameable(): Promise<readonly Nameable[]>;
}

interface MemberJson {
  readonly user: Nameable;
}

export function reviewRest(labelSet: Id, project: Id): ReviewRest {
  const base = `/api/label-sets/${labelSet}/`;
  const query = (values: Readonly<Record<string, string>>): string => new URLSearchParams(Object.entries(values).filter(([, value]) => value !== "")).toString();
  return {
    stream: ({ what, order, classValue, results }, after) =>
      get<Page>(`${base}review/stream?${query({ what, order, class: classValue, results: what === "unseen" ? results : "", after: after ?? "" })}`),
    results: async () => (await get<{ layers: Results[] }>(`${base}suggestions`)).layers,
    countAbove: async (score, classValue) => (await get<{ count: number }>(`${base}review/accept?${query({ score: String(score), class: classValue })}`)).count,
    acceptAbove: async (score, classValue) => (await post<{ count: number }>(`${base}review/accept`, { score, class: classValue === "" ? null : Number(classValue) })).count,
    figures: async () => (await get<{ results: Figure[] }>(`${base}review/figures`)).results,
    threads: async (resolved) => (await get<{ results: Thread[] }>(`${base}comments${resolved ? "?resolved=1" : ""}`)).results,
    write: ({ place, ...remark }) => post(`${base}comments`, { ...remark, ...(place ? { lon: place[0], lat: place[1] } : {}) }),
    change: (id, body) => patch(`/api/comments/${id}/`, body),
    remove: (id) => del(`/api/comments/${id}/`),
    nameable: async () => (await get<{ results: MemberJson[] }>(`/api/projects/${project}/members/?limit=200`)).results.map(({ user }) => user),
  };
}
