// Selecting: what a click, a hover or the other button means on samples and on the corners of the open one.

import type { EditorPort, Grip } from "./editor";
import { distance } from "./geometry";
import type { SamplesLayer } from "./layer";
import type { Place } from "./pointer";
import type { Host } from "./host";
import type { Id, Position } from "./types";

const HANDLE_PX = 9;
const TOUCH_HANDLE_PX = 20;
const PICK_PX = 5;
const TOUCH_PICK_PX = 14;
const SAME_PX = 4;

export class Picker {
  hovered: Id | null = null;
  private lastPick: { world: Position; at: number } | null = null;

  constructor(
    private readonly host: Host,
    private readonly layer: SamplesLayer,
    private readonly editor: EditorPort,
  ) {}

  /** What of the open sample lies under a place, if it may be changed. */
  gripAt(place: Place): Grip | null {
    const reach = (place.touch ? TOUCH_HANDLE_PX : HANDLE_PX) / this.layer.scale();
    return this.host.mayEdit ? this.editor.gripAt(place.world, reach) : null;
  }

  pick(place: Place): void {
    if (place.alt && this.removeCornerAt(place)) return;
    const grip = this.gripAt(place);
    if (grip?.kind === "corner" && !place.shift) {
      this.editor.chooseCorner(grip.vertex);
      return this.host.redraw();
    }
    this.editor.chooseCorner(null);
    const found = this.layer.pick(place.world, place.touch ? TOUCH_PICK_PX : PICK_PX);
    const again = this.lastPick !== null && distance(this.lastPick.world, place.world) * this.layer.scale() < SAME_PX;
    // A second click in the same place, of the ground and not of the screen, goes to the next sample below.
    const at = again && !place.shift ? ((this.lastPick?.at ?? 0) + 1) % Math.max(found.length, 1) : 0;
    this.lastPick = { world: place.world, at };
    const chosen = found[at];
    if (chosen) this.host.select([chosen.id], place.shift);
    else if (!place.shift) this.host.select([], false);
  }

  removeCornerAt(place: Place): boolean {
    const grip = this.gripAt(place);
    if (grip?.kind !== "corner") return false;
    this.host.editing();
    const done = this.editor.removeCorner(grip.vertex);
    if (done) this.host.edited(done.geometry, done.verb);
    else this.host.refuse("A polygon needs at least three corners.");
    return true;
  }

  hover(place: Place): void {
    const grip = this.gripAt(place);
    const found = grip ? null : (this.layer.pick(place.world, PICK_PX)[0]?.id ?? null);
    this.host.cursor(grip ? (grip.kind === "body" ? "move" : "grab") : found ? "pointer" : "");
    if (found === this.hovered) return;
    this.hovered = found;
    this.host.redraw();
  }
}
