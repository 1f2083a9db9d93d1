// The tasks' controller: what the panel shows, the lease one works under, its sign of life, and what people do.

import { asApiError } from "../../ui/api";
import { boundsOf, joinBounds } from "../geometry";
import type { Bounds } from "../geometry";
import type { Id, Lease, Position } from "../types";
import { merged, NO_TASKS, ownTask, withTask } from "./list";
import type { TaskList, Wanted } from "./list";
import { TAKEN } from "./rest";
import type { TaskRest } from "./rest";
import { taskFrom } from "./types";
import type { Geometry } from "../types";
import type { Person, Proposal, Purpose, Task, TaskJson, TaskOrder } from "./types";

export interface TasksView {
  readonly list: TaskList;
  readonly loaded: boolean;
  readonly own: Task | null;
  /** When the lease ends, on this page's own clock (ms); 0 without one. */
  readonly leaseEndsAt: number;
  readonly proposals: readonly Proposal[];
  readonly people: readonly Person[];
  readonly wanted: Wanted;
  readonly order: TaskOrder;
  /** The task whose facts are open. */
  readonly chosen: Id | null;
  readonly busy: boolean;
  readonly dialog: "none" | "grid" | "return" | "skip" | "progress";
  /** Cells that a grid would make, on the map while its dialog is open. */
  readonly preview: readonly Geometry[];
}

export interface TasksOptions {
  readonly rest: TaskRest;
  /** The user's id. */
  readonly me?: string;
  readonly mayLabel: boolean;
  readonly mayReview: boolean;
  /** On a sheet: the page of the label set that it belongs to. */
  readonly sheetOf?: string | null;
  readonly say: (message: string, tone: "neutral" | "warn" | "bad" | "ok") => void;
  readonly fit: (bounds: Bounds) => void;
  /** Where the map looks, in degrees. */
  readonly place: () => Position;
  /** What the map shows, as a polygon. */
  readonly viewArea: () => unknown;
  /** Under which lease is drawn from now on; `unread`: a note has to be read before. */
  readonly lease: (lease: Lease | null, unread: boolean) => void;
  /** Resolves when all that was drawn is stored; false where it cannot be now. */
  readonly settled: () => Promise<boolean>;
  readonly now: () => number;
}

/** People who do nothing for so long let their lease run down. */
const ACTIVE_MS = 60_000;
const BEAT_MS = 45_000;
const TICK_MS = 5_000;
const GONE = new Set(["lease_lost", "task_state", "not_found"]);

export class Tasks {
  view: TasksView = {
    list: NO_TASKS, loaded: false, own: null, leaseEndsAt: 0, proposals: [], people: [], wanted: { state: "", person: "" },
    order: "near", chosen: null, busy: false, dialog: "none", preview: [],
  };
  private readonly listeners = new Set<() => void>();
  private readonly stopping = new AbortController();
  private activeAt = 0;
  private beatAt = 0;
  private reading: Promise<void> | null = null;
  private again = false;

  constructor(readonly options: TasksOptions) {}

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  set(change: Partial<TasksView>): void {
    this.view = { ...this.view, ...change };
    for (const listener of this.listeners) listener();
  }

  /** Load the tasks; go on with the one that is still held. */
  async start(page: Document): Promise<void> {
    const active = (): void => {
      this.activeAt = this.options.now();
    };
    for (const name of ["pointermove", "pointerdown", "keydown", "wheel"]) page.addEventListener(name, active, { signal: this.stopping.signal, passive: true });
    const ticking = setInterval(() => this.tick(), TICK_MS);
    this.stopping.signal.addEventListener("abort", () => clearInterval(ticking));
    active();
    await this.catchUp();
    this.tick();
    if (this.view.own && page.location.search === TAKEN) this.show(this.view.own);
  }

  stop(): void {
    this.stopping.abort();
  }

  /** Read what changed; one reader at a time, once more where a ring came meanwhile. */
  catchUp(): Promise<void> {
    if (this.reading) {
      this.again = true;
      return this.reading;
    }
    this.reading = this.read()
      .catch((error: unknown) => this.fail(error))
      .finally(() => {
        this.reading = null;
        if (this.again) {
          this.again = false;
          void this.catchUp();
        }
      });
    return this.reading;
  }

  private async read(): Promise<void> {
    const { list, loaded } = this.view;
    let found = loaded ? merged(list, await this.options.rest.list(list.seq), false) : null;
    found ??= merged(NO_TASKS, await this.options.rest.list(0), true);
    if (!found) return;
    this.take(found);
    const some = [...found.tasks.values()].some(({ proposals }) => proposals > 0);
    if (some || this.view.proposals.length) await this.readProposals();
  }

  async readProposals(): Promise<void> {
    this.set({ proposals: await this.options.rest.proposals() });
  }

  /** Show a list, and follow what it says of the own task. */
  private take(list: TaskList): void {
    const before = this.view.own;
    const own = ownTask(list);
    if (before && !own && list.tasks.get(before.id)?.token !== before.token) {
      if (before.state === "in_progress") this.options.say(`Task ${before.number} is not yours any more. What was not saved yet is kept there as a proposal.`, "warn");
    }
    for (const { id, number, state, done_by, reviewed_by } of this.view.loaded ? list.tasks.values() : []) {
      const was = this.view.list.tasks.get(id)?.state;
      if (state === "returned" && was && was !== state && done_by && String(done_by.id) === this.options.me)
        this.options.say(`Task ${number} came back to you. ${reviewed_by?.name ?? "The reviewer"} left a note to read.`, "warn");
    }
    const fresh = own && (own.id !== before?.id || own.token !== before.token || own.seq !== before.seq);
    this.set({ list, loaded: true, own, ...(fresh ? { leaseEndsAt: this.options.now() + own.lease_s * 1000 } : own ? {} : { leaseEndsAt: 0 }) });
    this.options.lease(own && own.token !== null ? { id: own.id, token: own.token } : null, own?.must_read ?? false);
  }

  private takeTask(json: TaskJson): Task {
    const task = taskFrom(json);
    this.take(withTask(this.view.list, task));
    if (this.view.own?.id === task.id) {
      this.beatAt = this.options.now();
      this.set({ leaseEndsAt: this.beatAt + task.lease_s * 1000 });
    }
    return task;
  }

  private tick(): void {
    const { own } = this.view;
    const now = this.options.now();
    if (!own || !this.options.mayLabel || now - this.activeAt > ACTIVE_MS || now - this.beatAt < BEAT_MS || !navigator.onLine) return;
    void this.extend();
  }

  /** Renew the lease. */
  async extend(): Promise<void> {
    const { own } = this.view;
    if (!own) return;
    this.beatAt = this.options.now();
    await this.options.rest.work(own.id, { action: "heartbeat", token: own.token }).then(
      (json) => this.takeTask(json),
      (error: unknown) => this.fail(error),
    );
  }

  // --- what people do ------------------------------------------------------------------------------

  /** Take the next task and look at it. */
  next(purpose: Purpose = "label"): Promise<void> {
    const { own } = this.view;
    if (own) return Promise.resolve(this.show(own));
    return this.doing(async () => {
      const [lon, lat] = this.options.place();
      const json = await this.options.rest.next({ order: this.view.order, purpose, lon, lat });
      if (!json) return this.options.say(purpose === "label" ? "No task is left for you here." : "Nothing is waiting for review.", "ok");
      this.show(this.takeTask(json));
      // Not waited for: a key pressed at once must not fall into it.
      this.readProposals().catch((error: unknown) => this.fail(error));
    });
  }

  claim(task: Task): Promise<void> {
    return this.doing(async () => {
      const json = await this.options.rest.work(task.id, { action: task.state === "done" ? "review" : "claim" });
      this.show(this.takeTask(json));
      // Not waited for: a key pressed at once must not fall into it.
      this.readProposals().catch((error: unknown) => this.fail(error));
    });
  }

  /** Done, and on to the next. */
  finish(): Promise<void> {
    return this.doing(async () => {
      const { own } = this.view;
      if (own?.state !== "in_progress") return;
      if (own.must_read) return this.options.say("Read the reviewer's note first, and say so.", "warn");
      if (!(await this.options.settled())) return this.options.say("Not everything is saved yet. Try again when it is.", "warn");
      this.leave(own, await this.options.rest.work(own.id, { action: "finish", token: own.token }));
      this.options.say(`Task ${own.number} is done.`, "ok");
      await this.nextNow("label");
    });
  }

  skip(note: string): Promise<void> {
    return this.doing(async () => {
      const { own } = this.view;
      if (!own) return;
      this.leave(own, await this.options.rest.work(own.id, { action: "skip", token: own.token, note }));
      this.set({ dialog: "none" });
      await this.nextNow("label");
    });
  }

  release(): Promise<void> {
    return this.doing(async () => {
      const { own } = this.view;
      if (!own) return;
      if (!(await this.options.settled())) return this.options.say("Not everything is saved yet. Try again when it is.", "warn");
      this.leave(own, await this.options.rest.work(own.id, { action: "release", token: own.token }));
    });
  }

  acknowledge(): Promise<void> {
    return this.doing(async () => {
      const { own } = this.view;
      if (own) this.takeTask(await this.options.rest.work(own.id, { action: "acknowledge", token: own.token }));
    });
  }

  split(task: Task): Promise<void> {
    return this.doing(async () => {
      if (!(await this.options.settled())) return this.options.say("Not everything is saved yet. Try again when it is.", "warn");
      const parts = await this.options.rest.split(task.id, task.token);
      this.options.say(`Task ${task.number} is ${parts.length} tasks now: ${parts.map((part) => part.properties.number).join(", ")}.`, "ok");
      this.set({ chosen: null, own: null });
      await this.catchUp();
    });
  }

  /** Decide as a reviewer; after one's own stream task, on to the next. */
  decide(task: Task, action: "approve" | "return" | "reopen" | "take_away", note = ""): Promise<void> {
    return this.doing(async () => {
      const streaming = this.view.own?.id === task.id;
      this.leave(task, await this.options.rest.review(task.id, { action, note }));
      this.set({ dialog: "none" });
      const words = { approve: "approved", return: "returned", reopen: "open again", take_away: "free again" };
      this.options.say(`Task ${task.number} is ${words[action]}.`, "ok");
      if (streaming && (action === "approve" || action === "return")) await this.nextNow("review");
    });
  }

  change(task: Task, body: Readonly<Record<string, unknown>>): Promise<void> {
    return this.doing(async () => void this.takeTask(await this.options.rest.change(task.id, body)));
  }

  resolve(proposal: Proposal, action: "accept" | "reject"): Promise<void> {
    return this.doing(async () => {
      await this.options.rest.decide(proposal.id, action);
      await this.readProposals();
    });
  }

  removeUntouched(): Promise<void> {
    return this.doing(async () => {
      const { count } = await this.options.rest.removeUntouched();
      this.options.say(`${count} untouched tasks removed.`, "ok");
      await this.catchUp();
    });
  }

  /** Choose a task in list or map; null: none. */
  choose(id: Id | null): void {
    this.set({ chosen: id });
    if (id !== null && this.options.mayReview && !this.view.people.length) {
      this.options.rest.labelers().then((people) => this.set({ people }), (error: unknown) => this.fail(error));
    }
  }

  show(task: Task): void {
    this.options.fit(boundsOf(task.geometry));
  }

  showAll(): void {
    const bounds = joinBounds([...this.view.list.tasks.values()].map(({ geometry }) => boundsOf(geometry)));
    if (bounds) this.options.fit(bounds);
  }

  private async nextNow(purpose: Purpose): Promise<void> {
    const [lon, lat] = this.options.place();
    const json = await this.options.rest.next({ order: this.view.order, purpose, lon, lat });
    if (json) this.show(this.takeTask(json));
    else this.options.say(purpose === "label" ? "That was the last task for you here." : "Nothing more is waiting for review.", "ok");
  }

  /** The own lease was given up on purpose: nothing to warn of. */
  private leave(task: Task, json: TaskJson): void {
    if (this.view.own?.id === task.id) this.set({ own: null });
    this.takeTask(json);
  }

  private async doing(action: () => Promise<void>): Promise<void> {
    if (this.view.busy) return;
    this.set({ busy: true });
    try {
      await action();
    } catch (error) {
      this.fail(error);
    } finally {
      this.set({ busy: false });
    }
  }

  private fail(error: unknown): void {
    const { status, code, message, fix } = asApiError(error);
    // Not reached: the state line above the map says so, and the next look comes by itself.
    if (status === 0) return;
    this.options.say(`${message} ${fix}`.trim(), code === "lease_lost" || code === "task_held" ? "warn" : "bad");
    if (GONE.has(code)) void this.catchUp();
  }
}
