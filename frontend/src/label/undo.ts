// Undo and redo of one person's own steps. An undo is a new, inverse operation; it never wipes what others did since.

import { difference, sameContent } from "./merge";
import { newId } from "./types";
import type { Id, Operation, Patch, Sample, Verdict } from "./types";

/** One sample before and after a step; null: not there. */
export interface Change {
  readonly id: Id;
  readonly before: Sample | null;
  readonly after: Sample | null;
  /** It carries out a review decision. */
  readonly review?: Verdict;
}

/** What one gesture did, undone as a whole. */
export interface Step {
  readonly label: string;
  readonly changes: readonly Change[];
  /** Its changes are stored together or not at all. */
  readonly whole?: boolean;
}

export interface History {
  readonly undo: readonly Step[];
  readonly redo: readonly Step[];
}

export const NO_HISTORY: History = { undo: [], redo: [] };
const KEPT_STEPS = 200;

export type Reversal =
  | { readonly done: true; readonly history: History; readonly operations: readonly Operation[]; readonly step: Step }
  | { readonly done: false; readonly history: History; readonly reason: string };

export function remember(history: History, step: Step): History {
  return { undo: [...history.undo, step].slice(-KEPT_STEPS), redo: [] };
}

/** Take back the last step, or say why not. `order` numbers the first operation. */
export function undo(history: History, view: ReadonlyMap<Id, Sample>, order: number): Reversal {
  const step = history.undo.at(-1);
  if (!step) return { done: false, history, reason: "Nothing to undo." };
  const left: History = { ...history, undo: history.undo.slice(0, -1) };
  return reverse(step, view, order, left, (kept) => ({ ...kept, redo: [...kept.redo, flip(step)] }), "undo");
}

/** Do again what was undone last, or say why not. */
export function redo(history: History, view: ReadonlyMap<Id, Sample>, order: number): Reversal {
  const step = history.redo.at(-1);
  if (!step) return { done: false, history, reason: "Nothing to redo." };
  const left: History = { ...history, redo: history.redo.slice(0, -1) };
  return reverse(step, view, order, left, (kept) => ({ ...kept, undo: [...kept.undo, flip(step)] }), "redo");
}

/** The operation that makes `after` of `before`. */
export function operationFor({ id, before, after, review }: Change, order: number): Operation {
  const made = { opId: newId(), id, order, ...(review ? { review } : {}) };
  if (!after) return { ...made, action: "delete", patch: {}, base: before };
  const { geometry, classValue, properties, verified } = after;
  const patch: Patch = { geometry, classValue, properties };
  if (!before) return { ...made, action: "create", patch, base: null };
  return { ...made, action: "update", patch: difference(before, { ...patch, verified }), base: before };
}

function flip(step: Step): Step {
  return { ...step, changes: step.changes.map(({ id, before, after }) => ({ id, before: after, after: before })) };
}

function reverse(
  step: Step,
  view: ReadonlyMap<Id, Sample>,
  order: number,
  left: History,
  keep: (left: History) => History,
  word: string,
): Reversal {
  const inverse = step.changes.map((change, i) => inverseOf(change, view.get(change.id) ?? null, order + i));
  const operations = inverse.filter((operation) => operation !== null);
  if (operations.length < inverse.length)
    return { done: false, history: left, reason: `Cannot ${word} “${step.label}”: somebody changed the sample since. Their change stays.` };
  return { done: true, history: keep(left), operations, step };
}

/** The operation that takes a change back, or null where what the change made is not there any more. */
function inverseOf({ id, before, after }: Change, now: Sample | null, order: number): Operation | null {
  if (!after || !now) return after || now ? null : operationFor({ id, before: null, after: before }, order);
  if (!before) return sameContent(after, now) ? operationFor({ id, before: now, after: null }, order) : null;
  // Only the fields that the step changed must be as it left them: a colleague's change of another field stays.
  const back = difference(after, before);
  const { geometry, classValue, properties, verified } = after;
  const made: Patch = {
    ...(back.geometry ? { geometry } : {}),
    ...(back.classValue === undefined ? {} : { classValue }),
    ...(back.properties ? { properties } : {}),
    ...(back.verified === undefined ? {} : { verified }),
  };
  if (Object.keys(difference(now, made)).length) return null;
  return { opId: newId(), id, action: "update", patch: back, base: now, order };
}

const STORED_STEPS = 50;

/** The last steps as text, for the browser's session storage: undo works after a reload. */
export function stored({ undo: done, redo: undone }: History): string {
  return JSON.stringify({ undo: done.slice(-STORED_STEPS), redo: undone.slice(-STORED_STEPS) });
}

/** The history of a stored text; an empty one where there is none. Undo checks each step against the map anyway. */
export function restored(text: string | null): History {
  const found = text === null ? null : (JSON.parse(text) as Partial<History>);
  return Array.isArray(found?.undo) && Array.isArray(found.redo) ? { undo: found.undo, redo: found.redo } : NO_HISTORY;
}
