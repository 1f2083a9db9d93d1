// The review's controller: one sample after the other, one key a decision, the next ones read ahead.

import { asApiError } from "../../ui/api";
import type { App } from "../app";
import { boundsOf } from "../geometry";
import type { Bounds } from "../geometry";
import type { Id, Sample } from "../types";
import { sampleFrom } from "../wire";
import type { Figure, ReviewRest, Wanted } from "./rest";

export interface ReviewView {
  readonly wanted: Wanted;
  /** Samples are shown one after the other. */
  readonly running: boolean;
  readonly current: Id | null;
  /** How many were left at the last look. */
  readonly left: number;
  readonly decided: number;
  /** The current one was changed: going on accepts that. */
  readonly fixed: boolean;
  readonly busy: boolean;
  readonly figures: readonly Figure[];
}

export interface ReviewOptions {
  readonly rest: ReviewRest;
  readonly app: App;
  readonly mayLabel: boolean;
  readonly mayReview: boolean;
  readonly say: (message: string, tone: "neutral" | "warn" | "bad" | "ok") => void;
  /** Put it in the middle of the map. */
  readonly centre: (bounds: Bounds) => void;
  /** Read its imagery ahead. */
  readonly ahead: (bounds: Bounds) => void;
}

/** With fewer waiting than this the next page is read. */
const READ_AHEAD = 10;

export class Review {
  view: ReviewView = {
    wanted: { what: "suggested", order: "high", classValue: "", results: "" },
    running: false, current: null, left: 0, decided: 0, fixed: false, busy: false, figures: [],
  };
  private readonly listeners = new Set<() => void>();
  private waiting: Sample[] = [];
  private cursor: string | null = null;
  private ended = false;
  /** Decided, skipped or being shown: a page read meanwhile may still name them. */
  private readonly seen = new Set<Id>();
  private reading: Promise<void> | null = null;
  private readonly unsubscribe: () => void;

  constructor(readonly options: ReviewOptions) {
    this.unsubscribe = options.app.subscribe(() => this.onApp());
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  stop(): void {
    this.unsubscribe();
  }

  set(change: Partial<ReviewView>): void {
    this.view = { ...this.view, ...change };
    for (const listener of this.listeners) listener();
  }

  /** What is to be seen; a running review begins anew with it. */
  want(change: Partial<Wanted>): void {
    this.set({ wanted: { ...this.view.wanted, ...change } });
    if (this.view.running) void this.start();
    else void this.look();
  }

  /** Read how many are left and how decisions fell so far. */
  async look(): Promise<void> {
    const { wanted, decided } = this.view;
    await this.guarded(async () => {
      const [page, figures] = await Promise.all([this.options.rest.stream(wanted, null), this.options.rest.figures()]);
      // What was decided meanwhile is not in that count.
      const stands = this.view.wanted === wanted && this.view.decided === decided;
      this.set(stands ? { left: page.count, figures } : { figures });
    });
  }

  async start(): Promise<void> {
    if (!this.options.mayLabel) return this.options.say("Your role here is viewer: you can look, not decide.", "warn");
    this.waiting = [];
    this.cursor = null;
    this.ended = false;
    this.seen.clear();
    this.set({ running: true, decided: 0, current: null });
    this.options.app.set({ tool: "select", tab: "review", panel: true });
    await this.read();
    this.next();
  }

  end(): void {
    if (!this.view.running) return;
    this.options.app.reviewing = null;
    this.set({ running: false, current: null, fixed: false });
    this.options.app.select([], false);
    void this.look();
  }

  accept(): void {
    const sample = this.sample();
    if (!sample) return;
    if (!this.view.fixed) this.options.app.act("Accept sample", [{ id: sample.id, before: sample, after: { ...sample, verified: true }, review: "accept" }]);
    this.decide();
  }

  reject(): void {
    const sample = this.sample();
    if (!sample) return;
    // It is gone from the page at once, which is a decision wherever it came from: `onApp` counts it.
    this.options.app.act("Reject sample", [{ id: sample.id, before: sample, after: null, review: "reject" }]);
  }

  /** Go on after mending; without a change, say how. */
  fix(): void {
    if (!this.sample()) return;
    if (this.view.fixed) this.decide();
    else this.options.say("Drag its corners, use a tool, or press a digit for its class. Then go on.", "neutral");
  }

  skip(): void {
    if (this.view.current !== null) this.next();
  }

  async acceptAbove(score: number): Promise<void> {
    await this.guarded(async () => {
      const count = await this.options.rest.acceptAbove(score, this.view.wanted.classValue);
      this.options.say(count ? `${count.toLocaleString("en")} suggestions accepted. The step stands in the history.` : "No suggestion has that score.", count ? "ok" : "neutral");
      if (this.view.running) await this.start();
      else await this.look();
    });
  }

  private sample(): Sample | null {
    const { current } = this.view;
    return current === null ? null : (this.options.app.view.doc.view.get(current) ?? null);
  }

  private decide(): void {
    this.set({ decided: this.view.decided + 1, left: Math.max(0, this.view.left - 1) });
    this.next();
  }

  /** Show the next sample that still wants a decision. */
  private next(): void {
    const { app } = this.options;
    if (this.view.current !== null) this.seen.add(this.view.current);
    app.reviewing = null;
    let next = this.waiting.shift();
    while (next && !this.undecided(next)) next = this.waiting.shift();
    if (this.waiting.length < READ_AHEAD && !this.ended) void this.read().then(() => !next && this.view.running && this.waiting.length && this.next());
    if (!next) {
      this.set({ current: null, fixed: false });
      app.select([], false);
      if (this.ended) this.options.say(this.view.decided ? "Nothing is left to review." : "There is nothing to review.", "ok");
      return;
    }
    this.set({ current: next.id, fixed: false });
    app.select([next.id], false);
    app.reviewing = next.id;
    this.options.centre(boundsOf(next.geometry));
    const [after] = this.waiting;
    if (after) this.options.ahead(boundsOf(after.geometry));
  }

  private undecided(sample: Sample): boolean {
    const now = this.options.app.view.doc.view.get(sample.id);
    if (!now || this.seen.has(sample.id)) return false;
    return this.view.wanted.what === "suggested" ? !now.verified : now.version === sample.version;
  }

  /** Read the next page; one reader at a time. */
  private read(): Promise<void> {
    this.reading ??= this.guarded(async () => {
      const page = await this.options.rest.stream(this.view.wanted, this.cursor);
      const samples = page.features.map(sampleFrom);
      this.options.app.sync?.learn(samples);
      const known = new Set(this.waiting.map(({ id }) => id));
      this.waiting.push(...samples.filter(({ id }) => !known.has(id) && !this.seen.has(id) && id !== this.view.current));
      this.cursor = page.next;
      this.ended = page.next === null;
      if (this.view.decided === 0) this.set({ left: page.count });
    }).finally(() => (this.reading = null));
    return this.reading;
  }

  /** Somebody changed something: was it the current sample, by us (mended) or by others (gone)? */
  private onApp(): void {
    const { current, running, fixed } = this.view;
    const { doc } = this.options.app.view;
    if (!running || current === null) return;
    const mended = doc.pending.some(({ id, review }) => id === current && review === "fix");
    if (mended && !fixed) this.set({ fixed: true });
    // Rejected by Del, or decided by a colleague.
    if (!doc.view.has(current)) {
      const mine = doc.pending.some(({ id, action }) => id === current && action === "delete");
      if (mine) this.decide();
      else this.next();
    }
  }

  private async guarded(work: () => Promise<void>): Promise<void> {
    this.set({ busy: true });
    try {
      await work();
    } catch (error) {
      const { message, fix } = asApiError(error);
      this.options.say(`${message} ${fix}`.trim(), "bad");
    } finally {
      this.set({ busy: false });
    }
  }
}
