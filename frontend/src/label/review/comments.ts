// Comments: remarks pinned to places and samples, who has to read them, and what is being written.

import { asApiError } from "../../ui/api";
import type { App } from "../app";
import { fromWorld } from "../geometry";
import { centreOf } from "../ops/figures";
import { newId } from "../types";
import type { Id, Position } from "../types";
import type { Nameable, NewRemark, ReviewRest, Thread } from "./rest";

/** A remark being written; sent again under the same id it is stored once. */
export interface Writing {
  readonly id: Id;
  readonly place: Position;
  readonly feature: Id | null;
  readonly about: string;
}

export interface CommentsView {
  readonly threads: readonly Thread[];
  readonly settled: boolean;
  readonly chosen: Id | null;
  readonly writing: Writing | null;
  readonly nameable: readonly Nameable[];
}

export interface CommentsOptions {
  readonly rest: ReviewRest;
  readonly app: App;
  readonly mayLabel: boolean;
  readonly say: (message: string, tone: "neutral" | "warn" | "bad" | "ok") => void;
  /** The place in the middle of the map, in world coordinates. */
  readonly middle: () => Position;
  readonly centre: (place: Position) => void;
}

export class Comments {
  view: CommentsView = { threads: [], settled: false, chosen: null, writing: null, nameable: [] };
  private readonly listeners = new Set<() => void>();

  constructor(readonly options: CommentsOptions) {}

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  set(change: Partial<CommentsView>): void {
    this.view = { ...this.view, ...change };
    for (const listener of this.listeners) listener();
  }

  async load(settled = this.view.settled): Promise<void> {
    // A passing failure mends itself: every ring and every reconnection looks again.
    const threads = await this.options.rest.threads(settled).catch(() => null);
    if (threads) this.set({ threads, settled });
  }

  /** What this person has still to read, the oldest first. */
  unread(): Thread | null {
    return this.view.threads.filter((thread) => thread.must_read || thread.answers.some(({ must_read }) => must_read)).at(-1) ?? null;
  }

  /** Write about the selected sample, or about the place under the pointer. */
  begin(): boolean {
    const { app, mayLabel, middle, rest } = this.options;
    if (!mayLabel) return false;
    const [sample, ...others] = app.chosen();
    const one = sample && !others.length && sample.version > 0 ? sample : null;
    const name = one && (app.view.doc.classes.find(({ value }) => value === one.classValue)?.name ?? "sample");
    const place = one ? centreOf(one.geometry) : (app.pointer ?? middle());
    this.set({ writing: { id: newId(), place: fromWorld(place), feature: one?.id ?? null, about: one ? `${name} ${one.fid ?? ""}`.trim() : "this place" } });
    if (!this.view.nameable.length) void rest.nameable().then((nameable) => this.set({ nameable }), () => undefined);
    return true;
  }

  /** Store what was written; false where it was not taken and should stay. */
  async write(text: string): Promise<boolean> {
    const { writing } = this.view;
    if (!writing) return false;
    const { id, place, feature } = writing;
    const sent = await this.send({ id, text, place, feature, parent: null });
    if (sent) this.set({ writing: null });
    return sent;
  }

  answer(thread: Thread, text: string): Promise<boolean> {
    return this.send({ id: newId(), text, place: null, feature: null, parent: thread.id });
  }

  async settle(thread: Thread, resolved: boolean): Promise<void> {
    await this.tried(() => this.options.rest.change(thread.id, { resolved }));
  }

  async read(thread: Thread): Promise<void> {
    const mine = [thread, ...thread.answers].filter(({ must_read }) => must_read);
    await this.tried(() => Promise.all(mine.map(({ id }) => this.options.rest.change(id, { read: true }))));
  }

  async remove(thread: Thread): Promise<void> {
    await this.tried(() => this.options.rest.remove(thread.id));
  }

  show(thread: Thread): void {
    const { app } = this.options;
    this.set({ chosen: thread.id });
    app.set({ tab: "review", panel: true });
    if (thread.feature !== null && app.view.doc.view.has(thread.feature)) app.show(thread.feature);
    else this.options.centre([thread.lon, thread.lat]);
  }

  private send(remark: NewRemark): Promise<boolean> {
    return this.tried(() => this.options.rest.write(remark));
  }

  private async tried(work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work();
      await this.load();
      return true;
    } catch (error) {
      const { message, fix } = asApiError(error);
      this.options.say(`${message} ${fix}`.trim(), "bad");
      return false;
    }
  }
}
