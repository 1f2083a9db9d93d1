// The segments in view and which of them are chosen; what is chosen becomes one sample.

import { asApiError } from "../../ui/api";
import type { Bounds } from "../../ui/map";
import type { Geometry, Position } from "../types";
import { blockFrom, countOf, keyOf, segmentAt, segmentsAlong, withSegments } from "./block";
import type { Block, BlockPlace, Chosen, Segment } from "./block";
import type { SegmentRest } from "./rest";

/** Every pixel of the imagery, every second one, and so on: segments are 16 of these along their side. */
const LEVELS = [1, 2, 4, 8] as const;
/** Segments are looked for this often on the way along a stroke: a quarter of one. */
const STEP_PX = 4;
const MOST_KEPT = 64;

/** What the hint says of segments. */
export interface SegmentState {
  readonly chosen: number;
  readonly loading: boolean;
  /** Why there are none in view; "" where there are. */
  readonly problem: string;
  /** Metres along the side of one; null before the first answer. */
  readonly sizeM: number | null;
}

export const NO_SEGMENTS: SegmentState = { chosen: 0, loading: false, problem: "", sizeM: null };

export interface SegmentOptions {
  readonly rest: SegmentRest;
  readonly bounds: () => Bounds;
  readonly onState: (state: SegmentState) => void;
  readonly redraw: () => void;
}

export class Segments {
  private level: (typeof LEVELS)[number] = 1;
  private state = NO_SEGMENTS;
  private known = new Map<string, Block>();
  private inView: ReadonlySet<string> = new Set();
  private chosen: Chosen = new Map();
  private past: Chosen[] = [];
  private asked = 0;

  constructor(private readonly options: SegmentOptions) {}

  /** The blocks that are in view and known. */
  get blocks(): Block[] {
    return [...this.inView].flatMap((key) => this.known.get(key) ?? []);
  }

  chosenIn(block: Block): ReadonlySet<number> | undefined {
    return this.chosen.get(keyOf(block));
  }

  /** Read the segments in view. */
  async look(): Promise<void> {
    const number = ++this.asked;
    const { level } = this;
    this.tell({ loading: true, problem: "" });
    try {
      const { blocks, block_px: side, version, size_m: sizeM } = await this.options.rest.blocks(level, this.options.bounds());
      if (number !== this.asked) return;
      this.inView = new Set(blocks.map(keyOf));
      this.tell({ sizeM });
      this.forget();
      // Two at a time: each costs the server a moment, and colleagues draw too.
      const missing = blocks.filter((place) => !this.known.has(keyOf(place)));
      const read = async (): Promise<void> => {
        for (let place = missing.shift(); place && number === this.asked; place = missing.shift()) await this.read(place, side, version, level);
      };
      await Promise.all([read(), read()]);
      if (number === this.asked) this.tell({ loading: false });
    } catch (failure) {
      const { message, fix } = asApiError(failure);
      if (number !== this.asked) return;
      this.inView = new Set();
      this.tell({ loading: false, problem: `${message} ${fix}`.trim() });
    }
    this.options.redraw();
  }

  /** Larger (1) or smaller (-1) segments; false where some are chosen, which would be lost. */
  resize(by: 1 | -1): boolean {
    if (this.chosen.size) return false;
    const next = LEVELS[LEVELS.indexOf(this.level) + by];
    if (next === undefined) return true;
    this.level = next;
    this.drop();
    void this.look();
    return true;
  }

  /** Forget what is in view and chosen: another tool is used, or the imagery lies elsewhere. */
  drop(): void {
    this.asked += 1;
    this.known.clear();
    this.inView = new Set();
    this.chosen = new Map();
    this.past = [];
    this.tell({ chosen: 0, loading: false, problem: "" });
    this.options.redraw();
  }

  /** Choose what a stroke runs over; one that begins on a chosen segment takes away. */
  stroke(points: readonly Position[]): void {
    const along = this.along(points);
    if (!along.length) return;
    this.past.push(this.chosen);
    this.put(withSegments(this.chosen, along, !this.takesAway(points)));
  }

  /** What a stroke on its way would choose or take away, for showing. */
  preview(points: readonly Position[]): { readonly segments: readonly Segment[]; readonly add: boolean } {
    return { segments: this.along(points), add: !this.takesAway(points) };
  }

  /** Take the last stroke back; false where there is none. */
  back(): boolean {
    const before = this.past.pop();
    if (!before) return false;
    this.put(before);
    return true;
  }

  /** Choose nothing; false where nothing was chosen. */
  clear(): boolean {
    if (!this.chosen.size) return false;
    this.past.push(this.chosen);
    this.put(new Map());
    return true;
  }

  /** The outline of what is chosen; null where nothing is. It stays chosen until it is `taken`. */
  outline(): Promise<Geometry> | null {
    return this.chosen.size ? this.options.rest.union(this.level, this.chosen) : null;
  }

  /** What was chosen has become a sample. */
  taken(): void {
    this.past = [];
    this.put(new Map());
  }

  private takesAway(points: readonly Position[]): boolean {
    const [first] = points;
    const hit = first && segmentAt(this.blocks, first);
    return hit ? (this.chosen.get(hit.block)?.has(hit.number) ?? false) : false;
  }

  private along(points: readonly Position[]): Segment[] {
    const [block] = this.blocks;
    if (!block) return [];
    return segmentsAlong(this.blocks, points, Math.hypot(...block.right) * STEP_PX);
  }

  private async read(place: BlockPlace, side: number, version: number, level: number): Promise<void> {
    const labels = await this.options.rest.labels(level, version, place);
    if (level !== this.level) return;
    this.known.set(keyOf(place), blockFrom(place, side, labels));
    this.options.redraw();
  }

  /** Blocks out of view go where there are many, but none with something chosen. */
  private forget(): void {
    for (const key of [...this.known.keys()]) {
      if (this.known.size <= MOST_KEPT) return;
      if (!this.inView.has(key) && !this.chosen.has(key)) this.known.delete(key);
    }
  }

  private put(chosen: Chosen): void {
    this.chosen = chosen;
    this.tell({ chosen: countOf(chosen) });
    this.options.redraw();
  }

  private tell(change: Partial<SegmentState>): void {
    this.state = { ...this.state, ...change };
    this.options.onState(this.state);
  }
}
