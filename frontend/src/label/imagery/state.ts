// What is shown of the imagery, and how: holds the choice of this person and the offsets of the set.

import type { ImageryStyle } from "../../look/picture";
import { asApiError } from "../../ui/api";
import type { Id } from "../types";
import type { Choice } from "./choice";
import { nudged, saidOf } from "./offset";
import type { Along, Draft, Offset } from "./offset";
import type { FullLook, ImageryRest, Scene } from "./rest";

export interface Imaging {
  readonly choice: Choice;
  /** Looks in full by imagery; absent while they are on their way. */
  readonly looks: ReadonlyMap<Id, FullLook>;
  readonly second: Scene | null;
  readonly offsets: ReadonlyMap<Id, Offset>;
  readonly draft: Draft | null;
  /** The second date is held up in place of the first. */
  readonly flicking: boolean;
}

export interface ImageryOptions {
  readonly own: Scene;
  readonly offsets: readonly Offset[];
  readonly choice: Choice;
  readonly mayOffset: boolean;
  readonly rest: ImageryRest;
  readonly store: (choice: Choice) => void;
  readonly say: (message: string, tone: "neutral" | "warn" | "bad" | "ok") => void;
}

const byImagery = (rows: readonly Offset[]): ReadonlyMap<Id, Offset> => new Map(rows.map((row) => [row.imagery, row]));

export class Imagery {
  view: Imaging;
  private readonly listeners = new Set<() => void>();
  /** Which answer about a look is awaited: an older one is passed over. */
  private readonly asked = new Map<Id, number>();

  constructor(private readonly options: ImageryOptions) {
    const { choice, offsets } = options;
    this.view = { choice, looks: new Map(), second: null, offsets: byImagery(offsets), draft: null, flicking: false };
  }

  /** Read what the stored choice names. */
  start(): void {
    const { choice } = this.view;
    void this.readLook(this.own.id, choice.style);
    if (choice.second) void this.readSecond(choice.second);
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  get own(): Scene {
    return this.options.own;
  }

  get mayOffset(): boolean {
    return this.options.mayOffset;
  }

  get rest(): ImageryRest {
    return this.options.rest;
  }

  /** Change how it is seen; kept for the next time. */
  choose(change: Partial<Choice>): void {
    const choice = { ...this.view.choice, ...change };
    this.options.store(choice);
    this.set({ choice });
    if (change.style) void this.readLook(this.own.id, choice.style);
    if (change.secondStyle && choice.second) void this.readLook(choice.second, choice.secondStyle);
  }

  /** Lay imagery of another date under the samples; null: none. */
  chooseSecond(id: Id | null): void {
    this.choose({ second: id, secondStyle: {}, swipe: id !== null });
    if (id) void this.readSecond(id);
    else this.set({ second: null, flicking: false, draft: this.view.draft?.imagery === this.own.id ? this.view.draft : null });
  }

  /** Hold the second date up in place of the first, or let go. False where there is none. */
  flick(held: boolean): boolean {
    if (!this.view.second) return false;
    if (held !== this.view.flicking) this.set({ flicking: held });
    return true;
  }

  // --- the offset ----------------------------------------------------------------------------------

  offsetOf(id: Id): Offset {
    const none: Offset = { imagery: id, east_m: 0, north_m: 0, note: "", version: 0, set_by: null, set_at: null, per_metre: this.perMetre() };
    return this.view.offsets.get(id) ?? none;
  }

  /** What the imagery is drawn with: the draft, else what the set keeps. */
  drawnOffset(id: Id): Pick<Offset, "east_m" | "north_m"> {
    const { draft } = this.view;
    return draft?.imagery === id ? draft : this.offsetOf(id);
  }

  /** Begin to try an offset, seen by nobody else. */
  tryOffset(id: Id): void {
    const { east_m, north_m } = this.drawnOffset(id);
    this.set({ draft: { imagery: id, east_m, north_m } });
  }

  /** Move what is tried by pixels of the imagery (else begin), y to the south. */
  nudge(x: number, y: number): boolean {
    if (!this.mayOffset) return false;
    const id = this.view.draft?.imagery ?? this.own.id;
    if (!this.view.draft) this.tryOffset(id);
    const step = (id === this.own.id ? this.own : (this.view.second ?? this.own)).gsd_m;
    if (this.view.draft) this.set({ draft: nudged(this.view.draft, x * step, -y * step) });
    return true;
  }

  setDraft(change: Partial<Pick<Draft, "east_m" | "north_m">>): void {
    if (this.view.draft) this.set({ draft: nudged({ ...this.view.draft, ...change }, 0, 0) });
  }

  dropDraft(): void {
    this.set({ draft: null });
  }

  /** Keep what is tried for everybody who labels the set. */
  async keepDraft(note: string, samples: Along): Promise<void> {
    const { draft } = this.view;
    if (!draft) return;
    try {
      const { results, moved } = await this.rest.keep(draft, this.offsetOf(draft.imagery).version, note, samples);
      this.set({ offsets: byImagery(results), draft: null });
      const said = saidOf(draft) || "where its file says";
      this.options.say(`Shown ${said} for everybody.${moved ? ` ${moved.toLocaleString("en")} samples went along: one step in the history.` : ""}`, "ok");
    } catch (failure) {
      const error = asApiError(failure);
      if (error.code === "offset_changed") await this.readOffsets();
      const now = error.code === "offset_changed" ? ` It is ${saidOf(this.offsetOf(draft.imagery)) || "none"} now; keep yours if it is better.` : "";
      this.options.say(`${error.message}${now || ` ${error.fix}`}`, "bad");
    }
  }

  /** Somebody changed an offset: draw the imagery where they see it. */
  async readOffsets(): Promise<void> {
    try {
      const { results } = await this.rest.offsets();
      this.set({ offsets: byImagery(results) });
    } catch {
      // Offline, or signed out: the next welcome of the socket asks again.
    }
  }

  // --- reading ---------------------------------------------------------------------------------------

  private async readSecond(id: Id): Promise<void> {
    try {
      const second = await this.rest.scene(id);
      if (this.view.choice.second !== id) return;
      this.set({ second });
      void this.readLook(id, this.view.choice.secondStyle);
    } catch (failure) {
      const error = asApiError(failure);
      // Deleted, or no longer to be seen: forgotten. Unreachable: asked again at the next reload.
      if (error.status === 404 || error.status === 403) this.choose({ second: null, secondStyle: {}, swipe: false });
      this.options.say(`The second date cannot be shown: ${error.message}`, "warn");
    }
  }

  private async readLook(id: Id, style: ImageryStyle): Promise<void> {
    const number = (this.asked.get(id) ?? 0) + 1;
    this.asked.set(id, number);
    try {
      const look = await this.rest.look(id, style);
      if (this.asked.get(id) === number) this.set({ looks: new Map([...this.view.looks, [id, look]]) });
    } catch (failure) {
      if (this.asked.get(id) === number) this.options.say(`This look cannot be drawn: ${asApiError(failure).message}`, "warn");
    }
  }

  /** Metres of Web Mercator by those of the ground, as the server measures them for the set's own imagery. */
  private perMetre(): readonly [number, number] {
    return this.view.offsets.get(this.own.id)?.per_metre ?? [1, 1];
  }

  private set(change: Partial<Imaging>): void {
    this.view = { ...this.view, ...change };
    for (const listener of this.listeners) listener();
  }
}
