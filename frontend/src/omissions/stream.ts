// The stream of omissions: one is shown, the next are there already, decisions go out while the next is looked at.

import { asApiError, get, post } from "../ui/api";
import type { Detection, OmissionPage, Wanted } from "./types";

export interface StreamView {
  readonly wanted: Wanted;
  readonly loading: boolean;
  readonly current: Detection | null;
  /** How many are left, the shown one among them. */
  readonly left: number;
  /** There are more than are counted. */
  readonly more: boolean;
  readonly error: unknown;
  readonly canGoBack: boolean;
}

export type Act = "add" | "dismiss" | "skip";

interface Done {
  readonly detection: Detection;
  readonly act: Act;
}

/** With so few left in hand the next page is read. */
const LOW = 10;

export class Stream {
  view: StreamView;
  private waiting: Detection[] = [];
  private readonly done: Done[] = [];
  private readonly seen = new Set<string>();
  private classes: Readonly<Record<string, number>> = {};
  private next: string | null = null;
  private reading = 0;

  constructor(
    private readonly url: string,
    wanted: Wanted,
    private readonly changed: (view: StreamView) => void,
    private readonly say: (message: string) => void,
  ) {
    this.view = { wanted, loading: true, current: null, left: 0, more: false, error: null, canGoBack: false };
  }

  /** Look for something else, from the beginning. */
  async want(change: Partial<Wanted>): Promise<void> {
    this.waiting = [];
    this.done.length = 0;
    this.seen.clear();
    this.set({ wanted: { ...this.view.wanted, ...change }, current: null, left: 0, canGoBack: false });
    await this.read(null);
  }

  /** The class of the label set that the shown one would get; null where none has its name. */
  suggestedClass(): number | null {
    const value = this.view.current?.meta.class_value;
    return value === null || value === undefined ? null : (this.classes[String(value)] ?? null);
  }

  add(classValue: number | null): Promise<void> {
    return this.decide("add", { class_value: classValue, op_id: crypto.randomUUID() });
  }

  dismiss(): Promise<void> {
    return this.decide("dismiss", {});
  }

  skip(): void {
    if (this.view.current) this.advance("skip");
  }

  /** Show the last one again; a dismissal is taken back. */
  async back(): Promise<void> {
    const last = this.done.at(-1);
    if (!last) return;
    if (last.act === "add") {
      this.say("It is a sample now. Delete it on the page of the label set if it is none.");
      return;
    }
    this.done.pop();
    if (last.act === "dismiss") await this.send({ action: "bring_back", id: last.detection.id });
    if (this.view.current) this.waiting.unshift(this.view.current);
    this.set({ current: last.detection, left: this.view.left + 1, canGoBack: this.done.length > 0 });
  }

  private async decide(act: "add" | "dismiss", body: Readonly<Record<string, unknown>>): Promise<void> {
    const { current } = this.view;
    if (!current) return;
    this.advance(act);
    await this.send({ action: act, id: current.id, ...this.asked(), ...body });
  }

  private advance(act: Act): void {
    const { current } = this.view;
    if (current) this.done.push({ detection: current, act });
    this.set({ current: this.waiting.shift() ?? null, left: Math.max(0, this.view.left - 1), canGoBack: true });
    if (this.waiting.length < LOW && this.next !== null && !this.view.loading) void this.read(this.next);
  }

  private async send(body: Readonly<Record<string, unknown>>): Promise<void> {
    try {
      await post(this.url, body);
    } catch (error) {
      const { code, message, fix } = asApiError(error);
      // A colleague was quicker: what was wanted is done.
      if (code !== "not_omitted") this.say(`${message} ${fix}`.trim());
    }
  }

  private async read(after: string | null): Promise<void> {
    const mine = (this.reading += 1);
    this.set({ loading: true, error: null });
    const query = new URLSearchParams(Object.entries({ ...this.asked(), ...(after ? { after } : {}) }).map(([name, value]) => [name, String(value)]));
    try {
      const page = await get<OmissionPage>(`${this.url}?${query.toString()}`);
      if (mine !== this.reading) return;
      this.take(page, after === null);
    } catch (error) {
      if (mine === this.reading) this.set({ loading: false, error });
    }
  }

  private take(page: OmissionPage, first: boolean): void {
    this.classes = page.classes;
    this.next = page.next;
    for (const one of page.features) {
      if (this.seen.has(one.id)) continue;
      this.seen.add(one.id);
      this.waiting.push(one);
    }
    const current = this.view.current ?? this.waiting.shift() ?? null;
    this.set({ loading: false, current, ...(first ? { left: page.count ?? page.features.length, more: page.count === null || page.count >= page.most } : {}) });
  }

  private asked(): { readonly layer: string; readonly score: number; readonly cover: number; readonly class?: string } {
    const { layer, score, cover, classValue } = this.view.wanted;
    return { layer, score, cover, ...(classValue ? { class: classValue } : {}) };
  }

  private set(change: Partial<StreamView>): void {
    this.view = { ...this.view, ...change };
    this.changed(this.view);
  }
}
