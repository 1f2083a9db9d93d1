// The tools: what a press, drag or click means while selecting, drawing a box or drawing a polygon.

import type { EditorPort, Grip, Verb } from "./editor";
import { boxBetween, distance, fromWorld, polygonFrom, validity } from "./geometry";
import type { SamplesLayer } from "./layer";
import type { Gestures, Place } from "./pointer";
import type { Geometry, Id, Position } from "./types";

export type Tool = "select" | "box" | "polygon";

/** What is being drawn, in world coordinates. */
export type Draft =
  | { readonly kind: "box"; readonly from: Position; readonly to: Position }
  | { readonly kind: "polygon"; readonly points: readonly Position[]; readonly tip: Position | null }
  | { readonly kind: "lasso"; readonly from: Position; readonly to: Position };

/** What the tools need of the page. */
export interface Host {
  readonly tool: Tool;
  readonly mayEdit: boolean;
  readonly snapping: boolean;
  readonly selected: ReadonlySet<Id>;
  select(ids: readonly Id[], add: boolean): void;
  drawn(geometry: Geometry): void;
  /** The open sample was changed by the editor. */
  edited(geometry: Geometry, verb: Verb): void;
  /** A drag of the open sample began: remember it as it is now. */
  editing(): void;
  refuse(reason: string): void;
  pointed(world: Position): void;
  redraw(): void;
  cursor(name: string): void;
}

const HANDLE_PX = 9;
const TOUCH_HANDLE_PX = 20;
const PICK_PX = 5;
const TOUCH_PICK_PX = 14;
const SNAP_PX = 10;
const CLOSE_PX = 10;
const MOST_POINTS = 5000;

export class Tools implements Gestures {
  draft: Draft | null = null;
  /** Where the next point snaps to, for showing. */
  snapped: Position | null = null;
  hovered: Id | null = null;
  private grip: Grip["kind"] | null = null;
  private lastPick: { px: Position; at: number } | null = null;

  constructor(
    private readonly host: Host,
    private readonly layer: SamplesLayer,
    private readonly editor: EditorPort,
  ) {}

  // --- gestures ----------------------------------------------------------------------------------

  press(place: Place): boolean {
    const { host } = this;
    if (host.tool === "box" && host.mayEdit) {
      if (this.draft?.kind === "box") return true; // second click of a box begun by a click
      const from = this.snap(place, null);
      this.draft = { kind: "box", from, to: from };
      return true;
    }
    if (host.tool !== "select") return false;
    if (place.shift) {
      this.draft = { kind: "lasso", from: place.world, to: place.world };
      return true;
    }
    const grip = host.mayEdit && !place.alt ? this.editor.gripAt(place.world, this.reach(place, HANDLE_PX, TOUCH_HANDLE_PX)) : null;
    if (!grip) return false;
    host.editing();
    this.grip = grip.kind;
    this.editor.grab(grip, place.world);
    return true;
  }

  drag(place: Place): void {
    if (this.draft?.kind === "box") this.draft = { ...this.draft, to: this.snap(place, null) };
    else if (this.draft?.kind === "lasso") this.draft = { ...this.draft, to: place.world };
    else if (this.editor.dragging) this.editor.drag(this.grip === "body" ? place.world : this.snap(place, [...this.host.selected][0] ?? null));
    this.host.pointed(place.world);
    this.host.redraw();
  }

  release(place: Place): void {
    if (this.draft?.kind === "box") return this.finishBox(this.snap(place, null));
    if (this.draft?.kind === "lasso") return this.finishLasso(place);
    this.snapped = null;
    const done = this.editor.drop();
    if (done) this.host.edited(done.geometry, done.verb);
    this.host.redraw();
  }

  still(): void {
    // A box waits for its second corner; the editor lets go.
    if (this.draft?.kind === "lasso") this.draft = null;
    if (this.editor.dragging) this.editor.cancel();
    this.host.redraw();
  }

  cancel(): void {
    if (this.draft?.kind !== "polygon") this.draft = null;
    if (this.editor.dragging) this.editor.cancel();
    this.host.redraw();
  }

  click(place: Place): void {
    switch (this.host.tool) {
      case "select":
        return this.pick(place);
      case "polygon":
        if (this.host.mayEdit) this.addPoint(place);
        return;
      case "box":
        this.clickBox(place);
    }
  }

  hover(place: Place): void {
    this.host.pointed(place.world);
    const { tool, mayEdit } = this.host;
    if (tool === "select") return this.hoverSelect(place);
    if (!mayEdit) return;
    const tip = this.snap(place, null);
    if (this.draft?.kind === "polygon") this.draft = { ...this.draft, tip };
    else if (this.draft?.kind === "box") this.draft = { ...this.draft, to: tip };
    this.host.cursor("crosshair");
    this.host.redraw();
  }

  leave(): void {
    this.hovered = this.snapped = null;
    this.host.redraw();
  }

  menu(place: Place): boolean {
    if (this.host.tool === "polygon" && this.draft) {
      this.back();
      return true;
    }
    return this.host.tool === "select" && this.removeCornerAt(place);
  }

  // --- drawing -----------------------------------------------------------------------------------

  /** Put a point under the keyboard's crosshair. */
  place(world: Position): void {
    if (this.host.tool === "polygon") this.addWorld(world);
    else if (this.host.tool === "box" && this.draft?.kind === "box") this.finishBox(world);
    else if (this.host.tool === "box") this.draft = { kind: "box", from: world, to: world };
    this.host.redraw();
  }

  /** Close the polygon that is being drawn. True when there was one. */
  finish(): boolean {
    if (this.draft?.kind !== "polygon") return false;
    const { points } = this.draft;
    if (points.length < 3) {
      this.host.refuse("A polygon needs at least three corners.");
      return true;
    }
    if (this.offer(polygonFrom(points.map(fromWorld)))) this.draft = null;
    this.host.redraw();
    return true;
  }

  /** Take the last point back. True when there was a draft. */
  back(): boolean {
    if (!this.draft) return false;
    const points = this.draft.kind === "polygon" ? this.draft.points.slice(0, -1) : [];
    this.draft = this.draft.kind === "polygon" && points.length ? { ...this.draft, points } : null;
    this.host.redraw();
    return true;
  }

  /** Drop what is being drawn or dragged. True when there was something. */
  abandon(): boolean {
    const had = this.draft !== null || this.editor.dragging;
    this.draft = this.snapped = null;
    if (this.editor.dragging) this.editor.cancel();
    this.host.redraw();
    return had;
  }

  private addPoint(place: Place): void {
    if (this.draft?.kind === "polygon") {
      const { points } = this.draft;
      const reach = this.reach(place, CLOSE_PX, TOUCH_PICK_PX);
      const [first, last] = [points[0], points.at(-1)];
      // The second click of a double click falls on the last point.
      const closing = (first && distance(first, place.world) <= reach) || (last && distance(last, place.world) <= reach * 0.5);
      if (points.length >= 3 && closing) return void this.finish();
      if (last && distance(last, place.world) <= reach * 0.5) return;
    }
    this.addWorld(this.snap(place, null));
  }

  private addWorld(world: Position): void {
    const points = this.draft?.kind === "polygon" ? this.draft.points : [];
    if (points.length >= MOST_POINTS) return this.host.refuse(`A polygon can have ${MOST_POINTS} corners at most.`);
    this.draft = { kind: "polygon", points: [...points, world], tip: world };
    this.host.redraw();
  }

  private clickBox(place: Place): void {
    if (this.draft?.kind !== "box") return;
    const { from } = this.draft;
    const to = this.snap(place, null);
    if (distance(from, to) * this.layer.scale() > 3) this.finishBox(to);
  }

  private finishBox(to: Position): void {
    if (this.draft?.kind !== "box") return;
    const { from } = this.draft;
    this.draft = this.snapped = null;
    const scale = this.layer.scale();
    const flat = Math.min(Math.abs(from[0] - to[0]), Math.abs(from[1] - to[1])) * scale < 2;
    if (flat) this.host.refuse("The box is too flat. Drag from one corner to the opposite one.");
    else this.offer(boxBetween(fromWorld(from), fromWorld(to)));
    this.host.redraw();
  }

  private offer(geometry: Geometry): boolean {
    const { valid, reason } = validity(geometry);
    if (valid) this.host.drawn(geometry);
    else this.host.refuse(reason);
    this.snapped = null;
    return valid;
  }

  private finishLasso(place: Place): void {
    if (this.draft?.kind !== "lasso") return;
    const { from } = this.draft;
    this.draft = null;
    const [a, b] = [from, place.world];
    this.host.select(this.layer.inside([Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[0], b[0]), Math.max(a[1], b[1])]), true);
    this.host.redraw();
  }

  // --- selecting and editing -----------------------------------------------------------------------

  private pick(place: Place): void {
    if (place.alt && this.removeCornerAt(place)) return;
    const grip = this.editor.gripAt(place.world, this.reach(place, HANDLE_PX, TOUCH_HANDLE_PX));
    if (grip?.kind === "corner" && !place.shift) {
      this.editor.chooseCorner(grip.vertex);
      return this.host.redraw();
    }
    this.editor.chooseCorner(null);
    const found = this.layer.pick(place.world, place.touch ? TOUCH_PICK_PX : PICK_PX);
    const again = this.lastPick !== null && distance(this.lastPick.px, place.px) < 4;
    // A second click in the same place goes to the next sample below.
    const at = again && !place.shift ? ((this.lastPick?.at ?? 0) + 1) % Math.max(found.length, 1) : 0;
    this.lastPick = { px: place.px, at };
    const chosen = found[at];
    if (chosen) this.host.select([chosen.id], place.shift);
    else if (!place.shift) this.host.select([], false);
  }

  private removeCornerAt(place: Place): boolean {
    const grip = this.host.mayEdit ? this.editor.gripAt(place.world, this.reach(place, HANDLE_PX, TOUCH_HANDLE_PX)) : null;
    if (grip?.kind !== "corner") return false;
    this.host.editing();
    const done = this.editor.removeCorner(grip.vertex);
    if (done) this.host.edited(done.geometry, done.verb);
    else this.host.refuse("A polygon needs at least three corners.");
    return true;
  }

  private hoverSelect(place: Place): void {
    const grip = this.host.mayEdit ? this.editor.gripAt(place.world, this.reach(place, HANDLE_PX, TOUCH_HANDLE_PX)) : null;
    const found = grip ? null : (this.layer.pick(place.world, PICK_PX)[0]?.id ?? null);
    this.host.cursor(grip ? (grip.kind === "body" ? "move" : "grab") : found ? "pointer" : "");
    if (found === this.hovered) return;
    this.hovered = found;
    this.host.redraw();
  }

  // --- snapping ------------------------------------------------------------------------------------

  private snap(place: Place, except: Id | null): Position {
    this.snapped = this.host.snapping && !place.free ? this.layer.snap(place.world, SNAP_PX, except) : null;
    return this.snapped ?? place.world;
  }

  private reach(place: Place, px: number, touchPx: number): number {
    return (place.touch ? touchPx : px) / this.layer.scale();
  }
}
