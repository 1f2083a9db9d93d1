// Changes of a map's layout: shown at once, written in order, and taken back. Knows no DOM; the network is behind a port.
import { layoutOf, withLayout } from "./layout";
import type { Layout } from "./layout";
import type { MapJson } from "./types";

const MOST_STEPS = 100;
// Sliders and colour pickers change many times a second: one write, and one step back, for all of it.
export const QUIET_MS = 350;
const BURST_MS = 1400;

export interface LayoutPort {
  /** Write a layout over that version of the map. */
  write: (layout: Layout, version: number) => Promise<MapJson>;
  reload: () => Promise<MapJson>;
  /** Take the map as the server has it now. */
  accept: (fresh: MapJson) => void;
  failed: (error: unknown) => void;
  /** What `overlay`, `canUndo` and `canRedo` say may be another now. */
  changed: () => void;
}

/** Edits the layout of one map. */
export class LayoutEditor {
  private past: Layout[] = [];
  private future: Layout[] = [];
  /** Of the map after our last write; another one means that somebody else changed it. */
  private version: number;
  /** What the layout that waits was made of: a colleague's change since then is a conflict, never overwritten. */
  private base = 0;
  private waiting: Layout | null = null;
  private writing: Layout | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private chain: Promise<void> = Promise.resolve();
  private burst = { name: "", at: 0 };

  constructor(
    private server: MapJson,
    private readonly port: LayoutPort,
  ) {
    this.version = server.version;
  }

  /** Hear of the map as the server has it. */
  see(map: MapJson): void {
    if (map.version >= this.server.version) this.server = map;
  }

  /** The map with what is not yet written. */
  overlay(map: MapJson): MapJson {
    const layout = this.waiting ?? this.writing;
    return layout ? withLayout(map, layout) : map;
  }

  get canUndo(): boolean {
    return this.past.length > 0 && this.fits;
  }

  get canRedo(): boolean {
    return this.future.length > 0 && this.fits;
  }

  /** The layout as it is shown now. */
  get now(): Layout {
    return this.waiting ?? this.writing ?? layoutOf(this.server);
  }

  /** Show and write another layout. Changes of one `burst` that follow closely are one step and one write. */
  change(next: Layout, burst = ""): void {
    if (!this.fits) {
      this.past = [];
      this.version = this.server.version;
    }
    const same = burst !== "" && burst === this.burst.name && Date.now() - this.burst.at < BURST_MS;
    if (!same) this.past = [...this.past, this.now].slice(-MOST_STEPS);
    this.future = [];
    this.burst = { name: burst, at: Date.now() };
    this.put(next, burst === "" ? 0 : QUIET_MS);
  }

  undo(): void {
    const target = this.canUndo ? this.past.pop() : undefined;
    if (!target) return;
    this.future.push(this.now);
    this.step(target);
  }

  redo(): void {
    const target = this.canRedo ? this.future.pop() : undefined;
    if (!target) return;
    this.past.push(this.now);
    this.step(target);
  }

  /** Take the answer to another write of this page (a name, a view): that was us too. */
  own(fresh: MapJson): void {
    if (fresh.version === this.base + 1) this.base = fresh.version;
    this.version = fresh.version;
    this.server = fresh;
    this.port.accept(fresh);
    this.port.changed();
  }

  /** Take the answer to a write of this page that changed the layout: a step that can be taken back. */
  did(fresh: MapJson): void {
    this.past = [...(this.fits ? this.past : []), this.now].slice(-MOST_STEPS);
    this.future = [];
    this.own(fresh);
  }

  /** Write what waits; settles when all is written. */
  flush(): Promise<void> {
    clearTimeout(this.timer);
    this.chain = this.chain.then(() => this.send());
    return this.chain;
  }

  private get fits(): boolean {
    return this.writing !== null || this.waiting !== null || this.version === this.server.version;
  }

  private step(target: Layout): void {
    this.burst = { name: "", at: 0 };
    this.put(target, 0);
  }

  private put(layout: Layout, quiet: number): void {
    if (!this.waiting && !this.writing) this.base = this.server.version;
    this.waiting = layout;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.flush(), quiet);
    this.port.changed();
  }

  private async send(): Promise<void> {
    const layout = this.waiting;
    if (!layout) return;
    this.writing = layout;
    this.waiting = null;
    try {
      const fresh = await this.port.write(layout, this.base);
      this.base = fresh.version;
      this.writing = null;
      this.own(fresh);
    } catch (error) {
      this.writing = this.waiting = null;
      this.past = this.future = [];
      this.port.failed(error);
      const fresh = await this.port.reload().catch(() => this.server);
      this.own(fresh);
    }
  }
}
