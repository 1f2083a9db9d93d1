// Keeps the state and the server together: a socket for speed, HTTP where there is none, the log's numbers for truth.
// Nothing is forgotten before the server has said that it is stored.

import { asApiError } from "../ui/api";
import type { Live, LiveHandlers, LiveState } from "../ui/live";
import type { Queue } from "./queue";
import type { Bounds } from "./geometry";
import { rightsOf, roleSaid } from "./rights";
import { baseVersion, reduce, sendable, wholeGroups } from "./store";
import type { Event, State } from "./store";
import { newId } from "./types";
import type { Choice, Cursor, Id, Lease, LogRow, Member, Operation, Result, Sample } from "./types";
import { cursorFrom, editFrom, memberFrom, resultFrom, rowFrom, sampleFrom } from "./wire";
import type { CollectionJson, EditJson, EditRowJson, ResultJson, ServerMessage } from "./wire";

/** The server's HTTP side. */
export interface Rest {
  /** The samples in a box (all without one), at most `limit`. */
  samples(bounds: Bounds | null, limit: number): Promise<CollectionJson>;
  /** The log after a number; `resync` where it does not reach back that far. */
  log(after: number): Promise<{ readonly edits: readonly EditRowJson[]; readonly seq: number; readonly resync: boolean }>;
  save(edits: readonly EditJson[]): Promise<readonly ResultJson[]>;
}

export interface SyncOptions {
  readonly rest: Rest;
  readonly queue: Queue;
  readonly connect: (handlers: LiveHandlers<ServerMessage>) => Live;
  /** The box to load, of a large layer; null: load everything. */
  readonly bounds: () => Bounds | null;
  readonly onState: (state: State) => void;
  readonly onConnection: (connection: Connection) => void;
  readonly onMembers: (members: readonly Member[]) => void;
  readonly onCursor: (cursor: Cursor) => void;
  readonly onError: (message: string) => void;
  /** This person's role here, at first and when somebody changes it. */
  readonly onRole?: (role: string) => void;
  /** Tasks changed, or may have: look again. */
  readonly onTasks?: () => void;
  /** Somebody wrote, answered or settled a comment. */
  readonly onComments?: () => void;
  /** Somebody moved the imagery to its place. */
  readonly onOffsets?: () => void;
  /** Somebody changed a sample in another way than this person: both changes are kept. */
  readonly onMerged?: (theirs: Sample) => void;
  /** A change was kept as a proposal: its task is somebody else's by now. */
  readonly onProposed?: (message: string) => void;
}

/** `refused`: the server will not have us (signed out, no longer a member); what is drawn stays in this browser. */
export type Connection = LiveState | "refused";

const BATCH = 100;
/** The socket takes frames of 256 KiB; what is larger goes by HTTP. */
const FRAME_CHARS = 200_000;
/** What the server gives at once, and the map still draws within a frame's time. */
const LIMIT = 10_000;
/** A socket that does not answer an edit for so long is given up for this batch; HTTP asks again. */
const ANSWER_MS = 8_000;
const POLL_MS = 5_000;
const CURSOR_MS = 100;
/** The server has waited by itself already. */
const BUSY_MS = 1_000;

export class Sync {
  private state: State;
  private live: Live | null = null;
  private connection: Connection = "connecting";
  private order = 0;
  /** The last log number that the server spoke of. */
  private told = 0;
  private answerTimer: ReturnType<typeof setTimeout> | undefined;
  private pollTimer: ReturnType<typeof setInterval> | undefined;
  private cursorAt = 0;
  private marked: Id | null = null;
  private welcomed = false;
  private posting = false;
  private catching: Promise<void> | null = null;
  private stopped = false;

  constructor(
    private readonly options: SyncOptions,
    initial: State,
  ) {
    this.state = initial;
  }

  /** Load what waits in this browser and what the server has, then stay connected. */
  async start(): Promise<void> {
    const waiting = await this.options.queue.load();
    this.order = Math.max(0, ...waiting.map(({ order }) => order)) + 1;
    this.apply({ type: "edited", operations: waiting });
    this.pollTimer = setInterval(() => void this.poll(), POLL_MS);
    await this.load(true).catch((error: unknown) => this.fail(error));
    if (this.stopped) return;
    this.live = this.options.connect({
      onMessage: (message) => this.onMessage(message),
      onState: (state) => this.onLive(state),
      onRefused: () => this.setConnection("refused"),
    });
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.answerTimer);
    clearInterval(this.pollTimer);
    this.live?.stop();
  }

  /** The number for the next operation. */
  nextOrder(): number {
    return this.order;
  }

  /** Take operations over: on the map at once, on disk next, then to the server. */
  async edit(operations: readonly Operation[]): Promise<void> {
    this.order = Math.max(this.order, ...operations.map(({ order }) => order + 1));
    this.apply({ type: "edited", operations });
    await this.options.queue.add(operations);
    this.flush();
  }

  /** Carry out a person's decision on a conflict. */
  async resolve(opId: Id, choice: Choice): Promise<void> {
    await this.change({ type: "resolved", opId, choice, newOpId: newId(), newSampleId: newId() });
    this.flush();
  }

  /** Give up an operation that the server refused. */
  async discard(opId: Id): Promise<void> {
    await this.change({ type: "discarded", opId });
  }

  /** Send all that was refused again; what lacked a task goes under this lease. */
  async retry(lease: Lease | null): Promise<void> {
    await this.change({ type: "retried", lease });
    this.flush();
  }

  /** Load the samples of the view (of a large layer) or all of them. */
  async load(whole: boolean): Promise<void> {
    const bounds = this.options.bounds();
    const found = await this.options.rest.samples(bounds, LIMIT);
    this.apply({
      type: "snapshot",
      samples: found.features.map(sampleFrom),
      seq: found.seq,
      truncated: found.truncated,
      whole: whole && bounds === null && !found.truncated,
    });
  }

  /** Take samples over that were read apart from the view: those to review, of a large layer. */
  learn(samples: readonly Sample[]): void {
    this.apply({ type: "snapshot", samples, seq: this.state.seq, truncated: this.state.truncated, whole: false });
  }

  /** The class schema was changed here. */
  setClasses(classes: State["classes"]): void {
    this.apply({ type: "classes", classes });
  }

  /** Tell where this person's pointer is; at most ten times a second, never queued. */
  point(lon: number, lat: number): void {
    const now = Date.now();
    if (now - this.cursorAt < CURSOR_MS || this.connection !== "live") return;
    this.cursorAt = now;
    this.live?.send({ type: "cursor", lon, lat });
  }

  /** Tell which sample is open to be changed here; null: none. Told again after each reconnection. */
  mark(id: Id | null): void {
    this.marked = id;
    if (this.welcomed) this.live?.send({ type: "editing", feature: id });
  }

  private apply(event: Event): void {
    const next = reduce(this.state, event);
    if (next === this.state) return;
    this.state = next;
    this.options.onState(next);
    if (event.type === "stale" && event.theirs && next.pending.some(({ opId }) => opId === event.newOpId)) this.options.onMerged?.(event.theirs);
  }

  /** Apply an event, and make the queue on disk hold what is pending after it. */
  private async change(event: Event): Promise<void> {
    const before = this.state.pending;
    this.apply(event);
    const after = this.state.pending;
    const fresh = after.filter((operation) => !before.includes(operation));
    const gone = before.filter(({ opId }) => !after.some((operation) => operation.opId === opId));
    // Added before removed: a crash in between leaves one too many, which the server knows by its op_id or its content.
    if (fresh.length) await this.options.queue.add(fresh);
    if (gone.length) await this.options.queue.remove(gone.map(({ opId }) => opId));
  }

  private setConnection(connection: Connection): void {
    this.connection = connection;
    this.options.onConnection(connection);
  }

  private onLive(state: LiveState): void {
    this.welcomed = false;
    this.setConnection(state);
    if (state === "live") {
      if (this.state.seq < 0) void this.load(true).then(() => this.hello()).catch((error: unknown) => this.fail(error));
      else this.hello();
      return;
    }
    this.unsend();
  }

  private hello(): void {
    this.live?.send({ type: "hello", after: Math.max(this.state.seq, 0) });
  }

  /** What was on its way may be lost: it goes again, and a repeated op_id does no harm. */
  private unsend(): void {
    clearTimeout(this.answerTimer);
    if (this.state.sent.size) this.apply({ type: "unsent", opIds: [...this.state.sent] });
  }

  private onMessage(message: ServerMessage): void {
    switch (message.type) {
      case "welcome":
        this.welcomed = true;
        if (this.marked !== null) this.mark(this.marked);
        this.heardRole(message.role);
        this.options.onTasks?.();
        this.options.onComments?.();
        this.options.onOffsets?.();
        this.options.onMembers(message.members.map(memberFrom));
        if (message.classes) this.apply({ type: "classes", classes: message.classes });
        this.told = Math.max(this.told, message.seq);
        // The rows between follow by themselves.
        if (message.seq <= this.state.seq) this.flush();
        return;
      case "edits":
        this.told = Math.max(this.told, message.seq);
        void this.take(message.edits.map(rowFrom)).then(() => this.flush());
        return;
      case "results":
        void this.answered(message.results.map(resultFrom));
        return;
      case "classes":
        this.apply({ type: "classes", classes: message.classes });
        return;
      case "role":
        this.heardRole(message.role);
        return;
      case "presence":
        this.options.onMembers(message.members.map(memberFrom));
        return;
      case "cursors":
        for (const cursor of message.cursors) this.options.onCursor(cursorFrom(cursor, Date.now()));
        return;
      case "tasks":
        this.options.onTasks?.();
        return;
      case "comments":
        this.options.onComments?.();
        return;
      case "offsets":
        this.options.onOffsets?.();
        return;
      case "resync":
        void this.reload();
        return;
      case "pong":
        return;
      case "error":
        if (message.code === "denied" && this.state.sent.size) return this.refuseAll(`${message.message} ${message.fix}`.trim(), message.code);
        this.unsend();
        // Somebody else stores a lot: the state line says that something waits.
        if (message.code === "busy") this.answerTimer = setTimeout(() => this.flush(), BUSY_MS);
        else this.options.onError(`${message.message} ${message.fix}`.trim());
    }
  }

  private heardRole(role: string): void {
    const rights = rightsOf(role);
    this.options.onRole?.(role);
    if (!rights.label) this.refuseAll(`${roleSaid(rights)} Ask a manager of the project.`, "denied");
  }

  /** Who may not draw any more: all that waits stays here as refused, and goes again when the person asks for it. */
  private refuseAll(message: string, code: string): void {
    this.unsend();
    for (const { opId } of sendable(this.state)) this.apply({ type: "refused", opId, message, code });
  }

  private async take(rows: readonly LogRow[]): Promise<void> {
    await this.change({ type: "log", rows });
    const last = rows.at(-1);
    if (last && last.seq > this.state.seq) await this.catchUp();
  }

  /** Read the log by HTTP until nothing is missing; one reader at a time. */
  private catchUp(): Promise<void> {
    this.catching ??= this.readLog()
      .catch((error: unknown) => this.fail(error))
      .finally(() => {
        this.catching = null;
        this.flush();
      });
    return this.catching;
  }

  private async readLog(): Promise<void> {
    for (;;) {
      const found = await this.options.rest.log(this.state.seq);
      if (found.resync) return this.reload();
      const before = this.state.seq;
      await this.change({ type: "log", rows: found.edits.map(rowFrom) });
      if (this.state.seq >= found.seq || this.state.seq === before) return;
    }
  }

  private async reload(): Promise<void> {
    const bounds = this.options.bounds();
    const found = await this.options.rest.samples(bounds, LIMIT);
    // The log in between is skipped, so what it deleted must go: everything is replaced.
    await this.change({ type: "snapshot", samples: found.features.map(sampleFrom), seq: found.seq, truncated: found.truncated, whole: true });
    this.flush();
  }

  private async poll(): Promise<void> {
    if (this.connection === "live" && this.welcomed && this.told <= this.state.seq) return this.flush();
    if (this.connection === "refused" || !navigator.onLine) return;
    if (this.state.seq < 0) return this.load(true).catch((error: unknown) => this.fail(error));
    await this.catchUp();
  }

  /** Send what can be sent. */
  private flush(): void {
    const bySocket = this.welcomed && this.connection === "live";
    const byHttp = navigator.onLine && this.connection !== "refused";
    if (this.stopped || this.posting || this.state.sent.size || this.state.seq < 0 || !(bySocket || byHttp)) return;
    const ready = this.ready();
    if (!ready.length) return;
    this.apply({ type: "sent", opIds: ready.map(({ op_id }) => op_id) });
    const fits = JSON.stringify(ready).length <= FRAME_CHARS;
    if (bySocket && fits && this.live?.send({ type: "edit", edits: ready })) {
      this.answerTimer = setTimeout(() => void this.post(ready), ANSWER_MS);
    } else void this.post(ready);
  }

  /** The next edits to send; what is based on an older state is merged first. */
  private ready(): EditJson[] {
    // Merging makes new operations, or finds conflicts; two passes see what the first one made.
    for (const operation of sendable(this.state)) if (baseVersion(this.state, operation) === null) this.merge(operation);
    const based = sendable(this.state).filter((operation) => baseVersion(this.state, operation) !== null);
    const free = wholeGroups(based, this.state.pending);
    const first = this.fitting(free);
    const whole = wholeGroups(first, free);
    // A group that is longer than a batch goes alone, by HTTP.
    return (whole.length ? whole : free.filter(({ group }) => group !== undefined && group === first[0]?.group)).map((operation) => this.jsonOf(operation));
  }

  private jsonOf(operation: Operation): EditJson {
    return editFrom(operation, baseVersion(this.state, operation) ?? 0);
  }

  /** As many as go in one frame, at least one. */
  private fitting(free: readonly Operation[]): Operation[] {
    let room = FRAME_CHARS;
    const end = free.findIndex((operation, i) => i >= BATCH || (room -= JSON.stringify(this.jsonOf(operation)).length) < 0);
    return end < 0 ? [...free] : free.slice(0, Math.max(end, 1));
  }

  private merge(operation: Operation): void {
    const theirs = this.state.server.get(operation.id) ?? null;
    const version = theirs?.version ?? this.state.graves.get(operation.id) ?? 0;
    void this.change({ type: "stale", opId: operation.opId, theirs, version, newOpId: newId() });
  }

  private async post(edits: readonly EditJson[]): Promise<void> {
    if (this.posting) return;
    this.posting = true;
    try {
      const results = await this.options.rest.save(edits);
      this.posting = false;
      await this.answered(results.map(resultFrom));
    } catch (error) {
      this.posting = false;
      const { code, message, fix } = asApiError(error);
      if (code === "denied") return this.refuseAll(`${message} ${fix}`.trim(), code);
      this.unsend();
      this.fail(error);
    }
  }

  private async answered(results: readonly Result[]): Promise<void> {
    clearTimeout(this.answerTimer);
    for (const result of results) await this.change(this.eventOf(result));
    this.unsend();
    this.flush();
  }

  private eventOf({ opId, status, sample, version, code, message }: Result): Event {
    switch (status) {
      case "ok":
        return { type: "saved", opId, sample, version };
      case "aborted":
        return { type: "unsent", opIds: [opId] };
      case "proposed":
        this.options.onProposed?.(message);
        return { type: "saved", opId, sample: sample ?? this.state.server.get(this.idOf(opId)) ?? null, version };
      case "conflict":
      case "gone":
        return { type: "stale", opId, theirs: sample, version, newOpId: newId() };
      case "invalid":
        // Only an edit that was stored can have used this op_id; the log brings what became of it.
        if (code === "op_id_reused") return { type: "saved", opId, sample: this.state.server.get(this.idOf(opId)) ?? null, version: 0 };
        return { type: "refused", opId, message, code };
    }
  }

  private idOf(opId: Id): Id {
    return this.state.pending.find((operation) => operation.opId === opId)?.id ?? "";
  }

  private fail(error: unknown): void {
    const { status, code, message, fix } = asApiError(error);
    // Not reached, or busy: the state line says so already, and the next poll tries again.
    if (status === 0 || status >= 500 || code === "too_many") return;
    if (status === 401 || status === 403 || status === 404) this.setConnection("refused");
    this.options.onError(`${message} ${fix}`.trim());
  }
}
