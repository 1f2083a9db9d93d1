// The tools: what a press, drag or click means while selecting or drawing.

import type { EditorPort, Grip } from "./editor";
import { distance } from "./geometry";
import type { Draft, Host } from "./host";
import type { SamplesLayer } from "./layer";
import { Picker } from "./picking";
import type { Gestures, Place } from "./pointer";
import { SKETCHES } from "./sketches";
import type { Sketch, SketchTool } from "./sketches";
import { Snapping } from "./snapping";
import type { Id, Position } from "./types";

const TOUCH_CLOSE_PX = 14;
const CLOSE_PX = 10;
/** A drag shorter than this is a slip. */
const LEAST_DRAG_PX = 3;
/** Points of a stroke nearer than this say nothing new. */
const STROKE_PX = 2;
const MOST_POINTS = 5000;

export class Tools implements Gestures {
  draft: Draft | null = null;
  private grip: Grip["kind"] | null = null;
  private readonly picker: Picker;
  private readonly snapping: Snapping;

  constructor(
    private readonly host: Host,
    private readonly layer: SamplesLayer,
    private readonly editor: EditorPort,
  ) {
    this.picker = new Picker(host, layer, editor);
    this.snapping = new Snapping(host, layer);
  }

  /** Where the next point snaps to, for showing. */
  get snapped(): Position | null {
    return this.snapping.at;
  }

  get hovered(): Id | null {
    return this.picker.hovered;
  }

  /** What is being drawn and how; null while selecting. */
  private get sketch(): { tool: SketchTool; facts: Sketch } | null {
    const { tool, mayEdit } = this.host;
    return tool !== "select" && mayEdit ? { tool, facts: SKETCHES[tool] } : null;
  }

  private get points(): readonly Position[] {
    return this.draft?.kind === "sketch" ? this.draft.points : [];
  }

  // --- gestures ----------------------------------------------------------------------------------

  press(place: Place): boolean {
    const { host, sketch } = this;
    if (sketch) {
      const { tool, facts } = sketch;
      if (facts.way !== "drag" && facts.way !== "stroke") return false;
      if (facts.way === "drag" && this.points.length) return true; // second click of one begun by a click
      const from = facts.way === "drag" ? this.snapping.of(place, null) : place.world;
      this.draft = { kind: "sketch", tool, points: [from], tip: from };
      host.redraw();
      return true;
    }
    if (host.tool !== "select") return false;
    if (place.shift) {
      this.draft = { kind: "lasso", from: place.world, to: place.world };
      return true;
    }
    const grip = place.alt ? null : this.picker.gripAt(place);
    if (!grip) return false;
    host.editing();
    this.grip = grip.kind;
    this.editor.grab(grip, place.world);
    return true;
  }

  drag(place: Place): void {
    if (this.draft?.kind === "sketch") this.dragSketch(this.draft, place);
    else if (this.draft?.kind === "lasso") this.draft = { ...this.draft, to: place.world };
    else if (this.editor.dragging) this.editor.drag(this.grip === "body" ? place.world : this.snapping.of(place, [...this.host.selected][0] ?? null));
    this.host.pointed(place.world);
    this.host.redraw();
  }

  private dragSketch(draft: Extract<Draft, { kind: "sketch" }>, place: Place): void {
    if (SKETCHES[draft.tool].way === "drag") {
      this.draft = { ...draft, tip: this.snapping.of(place, null) };
      return;
    }
    const last = draft.points.at(-1);
    const near = last !== undefined && distance(last, place.world) * this.layer.scale() < STROKE_PX;
    this.draft = { ...draft, points: near || draft.points.length >= MOST_POINTS ? draft.points : [...draft.points, place.world], tip: place.world };
  }

  release(place: Place): void {
    if (this.draft?.kind === "sketch") return this.finishDrag(SKETCHES[this.draft.tool].way === "drag" ? this.snapping.of(place, null) : place.world);
    if (this.draft?.kind === "lasso") return this.finishLasso(place);
    this.snapping.end();
    const done = this.editor.drop();
    if (done) this.host.edited(done.geometry, done.verb);
    this.host.redraw();
  }

  still(): void {
    // A box waits for its second corner; the editor lets go.
    if (this.draft?.kind === "lasso") this.draft = null;
    else if (this.draft?.kind === "sketch" && SKETCHES[this.draft.tool].way === "stroke") this.dab();
    if (this.editor.dragging) this.editor.cancel();
    this.host.redraw();
  }

  cancel(): void {
    if (this.draft?.kind !== "sketch" || SKETCHES[this.draft.tool].way !== "clicks") this.draft = null;
    if (this.editor.dragging) this.editor.cancel();
    this.host.redraw();
  }

  click(place: Place): void {
    if (this.host.tool === "select") return this.picker.pick(place);
    const { sketch } = this;
    if (!sketch) return;
    const { way, snaps } = sketch.facts;
    if (way === "clicks") this.addPoint(sketch.facts, place);
    else if (way === "place") this.complete(sketch.tool, [snaps ? this.snapping.of(place, null) : place.world]);
    else if (way === "drag") this.clickDrag(place);
  }

  hover(place: Place): void {
    this.host.pointed(place.world);
    if (this.host.tool === "select") return this.picker.hover(place);
    const { sketch } = this;
    if (!sketch) return;
    const { tool, facts } = sketch;
    const tip = facts.snaps ? this.snapping.of(place, null) : place.world;
    // The brush and the stamp are seen before they are pressed.
    if (this.draft?.kind === "sketch" || facts.way === "place" || facts.way === "stroke") this.draft = { kind: "sketch", tool, points: this.points, tip };
    this.host.cursor(tool === "brush" || tool === "eraser" ? "none" : "crosshair");
    this.host.redraw();
  }

  leave(): void {
    this.picker.hovered = null;
    this.snapping.end();
    if (this.draft?.kind === "sketch" && !this.draft.points.length) this.draft = null;
    this.host.pointed(null);
    this.host.redraw();
  }

  menu(place: Place): boolean {
    if (this.points.length) {
      this.back();
      return true;
    }
    return this.host.tool === "select" && this.picker.removeCornerAt(place);
  }

  // --- drawing -----------------------------------------------------------------------------------

  /** Select what lies under the keyboard's crosshair, or with `add` that too, as a click and a Shift click do. */
  pick(world: Position, add: boolean): void {
    this.picker.pick({ world, px: [0, 0], shift: add, alt: false, free: false, touch: false });
    this.host.redraw();
  }

  /** Put a point under the keyboard's crosshair. */
  place(under: Position): void {
    const { sketch } = this;
    if (!sketch) return;
    const { tool, facts } = sketch;
    // Arrows move by steps: without snapping no corner could be met.
    const world = facts.snaps ? this.snapping.ofWorld(under, true, null) : under;
    if (facts.way === "place" || tool === "brush" || tool === "eraser" || tool === "segments") this.complete(tool, [world]);
    else if (facts.way === "drag" && this.points.length) this.finishDrag(world);
    else if (facts.way === "drag") this.draft = { kind: "sketch", tool, points: [world], tip: world };
    else this.addWorld(tool, facts, world);
    this.host.redraw();
  }

  /** End the outline or line that is being drawn. True when there was one. */
  finish(): boolean {
    const { draft, sketch } = this;
    if (draft?.kind !== "sketch" || !draft.points.length || !sketch) return false;
    if (sketch.facts.way === "drag") return false;
    if (draft.points.length < sketch.facts.least) this.host.refuse(sketch.facts.few);
    else this.complete(draft.tool, draft.points);
    return true;
  }

  /** Take the last point back. True when there was a draft. */
  back(): boolean {
    const { draft } = this;
    if (draft?.kind !== "sketch" || !draft.points.length) return false;
    const points = SKETCHES[draft.tool].way === "clicks" ? draft.points.slice(0, -1) : [];
    this.draft = points.length ? { ...draft, points } : null;
    this.host.redraw();
    return true;
  }

  /** Drop what is being drawn or dragged. True when there was something. */
  abandon(): boolean {
    const had = this.points.length > 0 || this.draft?.kind === "lasso" || this.editor.dragging;
    this.draft = null;
    this.snapping.end();
    if (this.editor.dragging) this.editor.cancel();
    this.host.redraw();
    return had;
  }

  private addPoint(facts: Sketch, place: Place): void {
    const { points } = this;
    const reach = this.reach(place, CLOSE_PX, TOUCH_CLOSE_PX);
    const [first, last] = [points[0], points.at(-1)];
    // The second click of a double click falls on the last point.
    const onFirst = facts.closed && first !== undefined && distance(first, place.world) <= reach;
    const onLast = last !== undefined && distance(last, place.world) <= reach * 0.5;
    if (points.length >= facts.least && (onFirst || onLast)) return void this.finish();
    if (onLast) return;
    if (this.host.tool !== "select") this.addWorld(this.host.tool, facts, this.snapping.of(place, null));
  }

  private addWorld(tool: SketchTool, facts: Sketch, world: Position): void {
    const { points } = this;
    if (points.length >= MOST_POINTS) return this.host.refuse(`${MOST_POINTS} corners are the most.`);
    const last = points.at(-1);
    const along = last && facts.most === undefined ? this.host.between(last, world) : [];
    const now = [...points, ...along, world];
    this.draft = { kind: "sketch", tool, points: now, tip: world };
    if (facts.most !== undefined && now.length >= facts.most) this.complete(tool, now);
    this.host.redraw();
  }

  private clickDrag(place: Place): void {
    const [from] = this.points;
    if (!from) return;
    const to = this.snapping.of(place, null);
    if (distance(from, to) * this.layer.scale() > LEAST_DRAG_PX) this.finishDrag(to);
  }

  private finishDrag(to: Position): void {
    const { draft } = this;
    if (draft?.kind !== "sketch") return;
    const facts = SKETCHES[draft.tool];
    const points = facts.way === "drag" ? [...draft.points, to] : draft.points;
    const [a, b] = points;
    const scale = this.layer.scale();
    const flat = draft.tool === "box" && a && b && Math.min(Math.abs(a[0] - b[0]), Math.abs(a[1] - b[1])) * scale < 2;
    const tiny = facts.way === "drag" && a && b && distance(a, b) * scale < LEAST_DRAG_PX;
    this.draft = null;
    if (flat || tiny || points.length < facts.least) this.host.refuse(facts.few);
    else this.host.finished(draft.tool, points, scale);
    this.snapping.end();
    this.host.redraw();
  }

  /** A press without a movement: the brush leaves a dot, a freehand line nothing. */
  private dab(): void {
    const { draft } = this;
    if (draft?.kind !== "sketch") return;
    this.draft = null;
    if (SKETCHES[draft.tool].least === 1) this.host.finished(draft.tool, draft.points, this.layer.scale());
  }

  private complete(tool: SketchTool, points: readonly Position[]): void {
    if (this.host.finished(tool, points, this.layer.scale())) this.draft = null;
    this.snapping.end();
    this.host.redraw();
  }

  private finishLasso(place: Place): void {
    if (this.draft?.kind !== "lasso") return;
    const { from } = this.draft;
    this.draft = null;
    const [a, b] = [from, place.world];
    this.host.select(this.layer.inside([Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[0], b[0]), Math.max(a[1], b[1])]), true);
    this.host.redraw();
  }

  private reach(place: Place, px: number, touchPx: number): number {
    return (place.touch ? touchPx : px) / this.layer.scale();
  }
}
