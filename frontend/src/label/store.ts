// The state of a label set in this browser: what the server said, what waits to be saved, and the two put together.
// Pure: a state and an event give the next state.

import { merge, overruling, patched, sameContent } from "./merge";
import type { Mine } from "./merge";
import type { Choice, Conflict, Id, LabelClass, Lease, LogRow, Operation, Problem, Sample } from "./types";

export interface State {
  /** Samples as the server last told them. */
  readonly server: ReadonlyMap<Id, Sample>;
  /** Version at which a sample was deleted: an older snapshot must not bring it back. */
  readonly graves: ReadonlyMap<Id, number>;
  /** What the map shows: server samples with the pending operations applied. */
  readonly view: ReadonlyMap<Id, Sample>;
  /** Operations not yet saved, in the order they were made. */
  readonly pending: readonly Operation[];
  /** Operations on their way to the server. */
  readonly sent: ReadonlySet<Id>;
  readonly conflicts: readonly Conflict[];
  readonly problems: readonly Problem[];
  readonly classes: readonly LabelClass[];
  /** Number of the last log row applied without a gap; -1 before the first snapshot. */
  readonly seq: number;
  /** The layer holds more samples than were asked for. */
  readonly truncated: boolean;
}

export type Event =
  | { readonly type: "snapshot"; readonly samples: readonly Sample[]; readonly seq: number; readonly truncated: boolean; readonly whole: boolean }
  | { readonly type: "classes"; readonly classes: readonly LabelClass[] }
  | { readonly type: "edited"; readonly operations: readonly Operation[] }
  | { readonly type: "log"; readonly rows: readonly LogRow[] }
  | { readonly type: "sent"; readonly opIds: readonly Id[] }
  | { readonly type: "unsent"; readonly opIds: readonly Id[] }
  | { readonly type: "saved"; readonly opId: Id; readonly sample: Sample | null; readonly version: number }
  | { readonly type: "stale"; readonly opId: Id; readonly theirs: Sample | null; readonly version: number; readonly newOpId: Id }
  | { readonly type: "refused"; readonly opId: Id; readonly message: string; readonly code: string }
  | { readonly type: "retried"; readonly lease: Lease | null }
  | { readonly type: "resolved"; readonly opId: Id; readonly choice: Choice; readonly newOpId: Id; readonly newSampleId: Id }
  | { readonly type: "discarded"; readonly opId: Id };

export const EMPTY: State = {
  server: new Map(),
  graves: new Map(),
  view: new Map(),
  pending: [],
  sent: new Set(),
  conflicts: [],
  problems: [],
  classes: [],
  seq: -1,
  truncated: false,
};

export function reduce(state: State, event: Event): State {
  switch (event.type) {
    case "snapshot":
      return snapshot(state, event);
    case "classes":
      return { ...state, classes: [...event.classes].sort((a, b) => a.position - b.position || a.value - b.value) };
    case "edited":
      return edited(state, event.operations);
    case "log":
      return log(state, event.rows);
    case "sent":
      return { ...state, sent: new Set([...state.sent, ...event.opIds]) };
    case "unsent":
      return { ...state, sent: new Set([...state.sent].filter((id) => !event.opIds.includes(id))) };
    case "saved":
      return saved(state, event.opId, event.sample, event.version);
    case "stale":
      return stale(state, event);
    case "refused":
      return refused(state, event);
    case "retried":
      return retried(state, event.lease);
    case "resolved":
      return resolved(state, event);
    case "discarded":
      return discarded(state, event.opId);
  }
}

/**
 * Operations that can be sent now: the first of each sample that is neither on its way nor stuck, groups only whole.
 */
export function sendable(state: State): Operation[] {
  const stuck = new Set([...state.conflicts, ...state.problems].map(({ id }) => id));
  const busy = new Set<Id>();
  const free = state.pending.filter((operation) => {
    const first = !busy.has(operation.id);
    busy.add(operation.id);
    return first && !stuck.has(operation.id) && !state.sent.has(operation.opId);
  });
  return wholeGroups(free, state.pending);
}

/** The operations without those whose group is not all among them. */
export function wholeGroups(some: readonly Operation[], all: readonly Operation[]): Operation[] {
  const there = new Set(some.map(({ opId }) => opId));
  const torn = new Set(all.flatMap(({ group, opId }) => (group !== undefined && !there.has(opId) ? [group] : [])));
  return some.filter(({ group }) => group === undefined || !torn.has(group));
}

/** The operations that stand and fall with one. */
function groupOf(state: State, operation: Operation): readonly Operation[] {
  const { group } = operation;
  return group === undefined ? [operation] : state.pending.filter((one) => one.group === group);
}

/** The version that an operation must name as its base, or null where it must be merged with a newer state first. */
export function baseVersion(state: State, operation: Operation): number | null {
  const now = state.server.get(operation.id);
  const grave = state.graves.get(operation.id) ?? 0;
  if (operation.action === "create") return now ? null : grave;
  // Not loaded here (the layer is large): the server judges.
  if (!now) return grave ? null : (operation.base?.version ?? 0);
  // What they did may have left the content as I saw it, or it may be my own earlier operation, saved meanwhile.
  const asSeen = operation.base !== null && sameContent(operation.base, now);
  return asSeen ? now.version : null;
}

/** A sample made by folding operations over what the server knows; null where there is none. */
export function folded(sample: Sample | null, operations: readonly Operation[]): Sample | null {
  return operations.reduce<Sample | null>((now, operation) => {
    if (operation.action === "delete") return null;
    if (operation.action === "create") return now ?? created(operation);
    return now ? patched(now, operation.patch) : operation.base && patched(operation.base, operation.patch);
  }, sample);
}

function created(operation: Operation): Sample | null {
  const { geometry, classValue = null, properties = {} } = operation.patch;
  if (!geometry) return null;
  return {
    id: operation.id, geometry, classValue, properties,
    version: 0, fid: null, score: null, source: "human", verified: true, updatedBy: null,
  };
}

/** The state with the view of `ids` computed again. */
function viewed(state: State, ids: Iterable<Id>): State {
  const view = new Map(state.view);
  const mine = new Map<Id, Operation[]>();
  for (const operation of state.pending) mine.set(operation.id, [...(mine.get(operation.id) ?? []), operation]);
  for (const id of ids) {
    const now = folded(state.server.get(id) ?? null, mine.get(id) ?? []);
    if (now) view.set(id, now);
    else view.delete(id);
  }
  return { ...state, view };
}

function knows(state: State, sample: Sample): boolean {
  return sample.version <= Math.max(state.server.get(sample.id)?.version ?? 0, state.graves.get(sample.id) ?? 0);
}

function snapshot(state: State, event: Extract<Event, { type: "snapshot" }>): State {
  // A snapshot older than the log says nothing new of samples that the log has told of since.
  const fresh = event.samples.filter((sample) => !knows(state, sample));
  const replaced = event.whole && event.seq >= state.seq;
  const server = new Map(replaced ? event.samples.map((sample) => [sample.id, newest(state, sample)]) : state.server);
  for (const sample of fresh) server.set(sample.id, sample);
  const touched = replaced ? new Set([...state.server.keys(), ...server.keys(), ...state.view.keys()]) : fresh.map(({ id }) => id);
  // A view's snapshot may run ahead of the log; only a whole one may move the log's number.
  const seq = event.whole || state.seq < 0 ? Math.max(state.seq, event.seq) : state.seq;
  return viewed({ ...state, server, seq, truncated: event.truncated }, touched);
}

function newest(state: State, sample: Sample): Sample {
  const known = state.server.get(sample.id);
  return known && known.version > sample.version ? known : sample;
}

function edited(state: State, operations: readonly Operation[]): State {
  const known = new Set(state.pending.map(({ opId }) => opId));
  const fresh = operations.filter(({ opId }) => !known.has(opId));
  return viewed({ ...state, pending: [...state.pending, ...fresh] }, fresh.map(({ id }) => id));
}

function log(state: State, rows: readonly LogRow[]): State {
  let seq = state.seq;
  const server = new Map(state.server);
  const graves = new Map(state.graves);
  const done = new Set<Id>();
  for (const row of rows) {
    if (row.seq <= seq) continue;
    if (row.seq !== seq + 1) break; // a gap: the caller asks the log for what is missing
    seq = row.seq;
    done.add(row.opId);
    if (row.version <= Math.max(server.get(row.id)?.version ?? 0, graves.get(row.id) ?? 0)) continue;
    if (row.sample) server.set(row.id, row.sample);
    else {
      server.delete(row.id);
      graves.set(row.id, row.version);
    }
  }
  const pending = state.pending.filter(({ opId }) => !done.has(opId));
  const sent = new Set([...state.sent].filter((opId) => !done.has(opId)));
  const conflicts = state.conflicts.filter(({ opId }) => !done.has(opId)).map((conflict) => refreshed(conflict, server, graves));
  return viewed({ ...state, seq, server, graves, pending, sent, conflicts }, rows.map(({ id }) => id));
}

/** A conflict that is open while they go on editing shows their newest state. */
function refreshed(conflict: Conflict, server: ReadonlyMap<Id, Sample>, graves: ReadonlyMap<Id, number>): Conflict {
  const theirs = server.get(conflict.id) ?? (graves.has(conflict.id) ? null : conflict.theirs);
  return theirs === conflict.theirs ? conflict : { ...conflict, theirs };
}

function without(state: State, opId: Id): State {
  return {
    ...state,
    pending: state.pending.filter((operation) => operation.opId !== opId),
    sent: new Set([...state.sent].filter((id) => id !== opId)),
    conflicts: state.conflicts.filter((conflict) => conflict.opId !== opId),
    problems: state.problems.filter((problem) => problem.opId !== opId),
  };
}

function withServer(state: State, id: Id, sample: Sample | null, version: number): State {
  const known = Math.max(state.server.get(id)?.version ?? 0, state.graves.get(id) ?? 0);
  if (version < known) return state;
  const server = new Map(state.server);
  const graves = new Map(state.graves);
  if (sample) server.set(id, sample);
  else {
    server.delete(id);
    graves.set(id, version);
  }
  return { ...state, server, graves };
}

function saved(state: State, opId: Id, sample: Sample | null, version: number): State {
  const operation = state.pending.find((one) => one.opId === opId);
  if (!operation) return state;
  return viewed(withServer(without(state, opId), operation.id, sample, version), [operation.id]);
}

function mineOf(operation: Operation): Mine {
  return operation.action === "delete" ? { kind: "delete" } : { kind: "update", patch: operation.patch };
}

/** What becomes of an operation whose base is no longer the newest state. */
function stale(state: State, { opId, theirs, version, newOpId }: Extract<Event, { type: "stale" }>): State {
  const operation = state.pending.find((one) => one.opId === opId);
  if (!operation) return state;
  const known = withServer(state, operation.id, theirs, version);
  if (operation.action === "create" && !theirs) {
    // A deleted sample is restored on top of its tombstone, whose version is known now.
    return viewed(replaced(known, opId, [{ ...operation, opId: newOpId }]), [operation.id]);
  }
  const base = operation.base ?? theirs;
  if (!base) return refused(state, { opId, message: "The sample is not there any more.", code: "gone" });
  const merged = merge(base, mineOf(operation), theirs);
  if (merged.kind === "nothing") return viewed(without(known, opId), [operation.id]);
  if (merged.kind === "clean") {
    const action = operation.action === "create" ? "update" : operation.action;
    const again: Operation = { ...operation, action, opId: newOpId, patch: merged.patch, base: theirs };
    return viewed(replaced(known, opId, [again]), [operation.id]);
  }
  const later = state.pending.filter((one) => one.id === operation.id);
  const conflict: Conflict = { opId, id: operation.id, fields: merged.fields, base, mine: folded(base, later), theirs };
  const sent = new Set([...known.sent].filter((id) => id !== opId));
  const conflicts = [...known.conflicts.filter((one) => one.opId !== opId), conflict];
  return viewed({ ...known, sent, conflicts }, [operation.id]);
}

function replaced(state: State, opId: Id, by: readonly Operation[]): State {
  const pending = state.pending.flatMap((operation) => (operation.opId === opId ? by : [operation]));
  return { ...without(state, opId), pending };
}

function refused(state: State, { opId, message, code }: Omit<Problem, "id">): State {
  const operation = state.pending.find((one) => one.opId === opId);
  if (!operation) return state;
  const sent = new Set([...state.sent].filter((id) => id !== opId));
  const problems = [...state.problems.filter((one) => one.opId !== opId), { opId, id: operation.id, message, code }];
  return { ...state, sent, problems };
}

/** All that was refused waits to be sent again; what named no task that is held names this one. */
function retried(state: State, lease: Lease | null): State {
  const alone = new Set(state.problems.flatMap(({ id, code }) => (code === "no_task" ? [id] : [])));
  const pending = state.pending.map((operation) => (lease && alone.has(operation.id) ? { ...operation, lease } : operation));
  return { ...state, pending, problems: [] };
}

function resolved(state: State, event: Extract<Event, { type: "resolved" }>): State {
  const conflict = state.conflicts.find(({ opId }) => opId === event.opId);
  const operation = state.pending.find(({ opId }) => opId === event.opId);
  if (!conflict || !operation) return state;
  // All that waits for this sample is part of what was shown as "mine".
  const waiting = state.pending.filter(({ id }) => id === conflict.id);
  const decided = decision(conflict, operation, event);
  // Without its part the rest of a split or merge would be half of one: it goes too.
  const rest = event.choice === "theirs" ? groupOf(state, operation).filter(({ id }) => id !== conflict.id) : [];
  const cleared = [...waiting, ...rest].reduce((now, { opId }) => without(now, opId), state);
  const pending = [...cleared.pending, ...(decided ? [decided] : [])];
  return viewed({ ...cleared, pending }, [conflict.id, ...rest.map(({ id }) => id), ...(decided ? [decided.id] : [])]);
}

/** The operation that carries a choice out; null where nothing is left to save. */
function decision(conflict: Conflict, operation: Operation, { choice, newOpId, newSampleId }: { choice: Choice; newOpId: Id; newSampleId: Id }): Operation | null {
  const { base, mine, theirs, fields } = conflict;
  const { order, lease, group } = operation;
  const together = choice === "theirs" || group === undefined ? {} : { group };
  const made = { opId: newOpId, order, ...together, ...(lease ? { lease } : {}) };
  if (choice !== "theirs" && mine && (choice === "both" || !theirs)) {
    const { geometry, classValue, properties } = mine;
    return { ...made, id: newSampleId, action: "create", patch: { geometry, classValue, properties }, base: null };
  }
  if (!theirs || !base) return null;
  if (!mine) return choice === "mine" ? { ...made, id: conflict.id, action: "delete", patch: {}, base: theirs } : null;
  const patch = overruling(base, mine, theirs, choice === "mine" ? [] : fields);
  return Object.keys(patch).length ? { ...made, id: conflict.id, action: "update", patch, base: theirs } : null;
}

function discarded(state: State, opId: Id): State {
  const operation = state.pending.find((one) => one.opId === opId);
  if (!operation) return state;
  // A refused create takes the changes made on top of it along, and a part of a step the whole step.
  const gone = groupOf(state, operation).flatMap((one) => (one.action === "create" ? state.pending.filter(({ id }) => id === one.id) : [one]));
  return viewed(gone.reduce((now, one) => without(now, one.opId), state), gone.map(({ id }) => id));
}
