// The past of a sample and of the whole set, as the server tells it.

import { get, post } from "../ui/api";
import { difference } from "./merge";
import type { Change } from "./undo";
import type { Id, Sample } from "./types";
import { sampleFrom } from "./wire";
import type { EditRowJson } from "./wire";

export interface Person {
  readonly id: number;
  readonly name: string;
}

/** One version of a sample. */
export interface Version {
  readonly seq: number;
  readonly version: number;
  readonly at: string;
  readonly actor: Person | null;
  /** The sample as it was; null: deleted. */
  readonly sample: Sample | null;
  readonly what: string;
}

/** Edits of one person that came together. */
export interface PastStep {
  readonly seq: number;
  readonly at: string;
  readonly actor: Person | null;
  readonly created: number;
  /** Of the created: what came from files, and what models sent. */
  readonly imported: number;
  readonly suggested: number;
  readonly updated: number;
  readonly deleted: number;
  readonly ids: readonly Id[];
  readonly deleted_ids: readonly Id[];
}

/** What a restoration would change, or did; counts are null where counting takes too long for an answer. */
export interface Restoration {
  readonly target: number;
  /** The log's last number before: restoring it takes the restoration back. */
  readonly seq: number;
  readonly brought_back: number | null;
  readonly changed_back: number | null;
  readonly removed: number | null;
  /** What lies where only tasks are labelled now, and stays as it is. */
  readonly left_out: number | null;
  readonly changes: number | null;
}

type VersionJson = EditRowJson & { readonly at: string; readonly actor: Person | null };

/** The versions of a sample, the newest first, each with what it changed. */
export async function versionsOf(layerUrl: string, id: Id, className: (value: number | null) => string): Promise<Version[]> {
  const { results } = await get<{ results: VersionJson[] }>(`${layerUrl}features/${id}/history`);
  const samples = results.map(({ feature }) => feature && sampleFrom(feature));
  const versions = results.map(({ seq, version, at, actor }, i): Version => {
    const [before, sample = null] = [samples[i - 1] ?? null, samples[i]];
    return { seq, version, at, actor, sample, what: changeOf(before, sample, className, i === 0) };
  });
  return versions.reverse();
}

export function changeOf(before: Sample | null, after: Sample | null, className: (value: number | null) => string, first: boolean): string {
  if (!after) return "deleted";
  if (!before) return first ? (after.source === "model" ? "suggested by a model" : after.source === "import" ? "imported" : "drawn") : "brought back";
  const { geometry, classValue, properties } = difference(before, after);
  const said = [
    ...(geometry ? ["shape"] : []),
    ...(classValue === undefined ? [] : [`class: ${className(before.classValue)} → ${className(classValue)}`]),
    ...(properties ? ["properties"] : []),
  ];
  if (!said.length) return before.verified === after.verified ? "nothing changed" : after.verified ? "accepted" : "no longer accepted";
  return said.join(", ");
}

/** What makes the sample as it was in a version again; null where it is so already. */
export function backTo(now: Sample | null, then: Version): Change | null {
  const { sample } = then;
  if (!sample) return now && { id: now.id, before: now, after: null };
  if (!now) return { id: sample.id, before: null, after: sample };
  const { geometry, classValue, properties } = sample;
  const after = { ...now, geometry, classValue, properties };
  return Object.keys(difference(now, after)).length ? { id: now.id, before: now, after } : null;
}

export function timeline(layerUrl: string, before: number | null): Promise<{ results: PastStep[]; next: number | null }> {
  return get(`${layerUrl}timeline${before === null ? "" : `?before=${before}`}`);
}

export function previewRestoring(layerUrl: string, target: { seq: number } | { at: string }): Promise<Restoration> {
  const query = "seq" in target ? `seq=${target.seq}` : `at=${encodeURIComponent(target.at)}`;
  return get(`${layerUrl}restore?${query}`);
}

/** Restore what a preview told of; refused with "changed_since" where somebody has changed the set after it. */
export function restoreSet(layerUrl: string, { target, seq }: Restoration): Promise<Restoration | { readonly job: string }> {
  return post(`${layerUrl}restore`, { seq: target, base: seq });
}

/** A step in words: "drew 3, changed 1". */
export function saidOf({ created, imported, suggested, updated, deleted }: PastStep): string {
  const said = [[created - imported - suggested, "drew"], [imported, "imported"], [suggested, "suggested"], [updated, "changed"], [deleted, "deleted"]] as const;
  return said.filter(([count]) => count > 0).map(([count, verb]) => `${verb} ${count.toLocaleString("en")}`).join(", ");
}
