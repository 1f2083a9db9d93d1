// Edits the geometry of one sample: handles on its corners, half-way points that become corners, a body that moves.

import type { Frame } from "./canvas-pane";
import {
  boxBetween, covers, fromWorld, insertVertex, isBox, midpoint, moveBoxCorner, moveBy, moveVertex, openParts,
  removeVertex, sameGeometry, toWorld,
} from "./geometry";
import type { Vertex } from "./geometry";
import { shapeOf } from "./shapes";
import { fill, stroke, trace } from "./layer";
import type { Geometry, Position } from "./types";

/** What a gesture or key did, in words for the undo list. */
export type Verb = "Move sample" | "Move corner" | "Add corner" | "Remove corner" | "Resize box";

/** What can be taken hold of: a corner, the half-way point after one, or the whole. */
export type Grip =
  | { readonly kind: "corner"; readonly vertex: Vertex }
  | { readonly kind: "middle"; readonly vertex: Vertex }
  | { readonly kind: "body" };

/**
 * An editor of the one geometry that is open. The page knows no more of it than this, so that another one can take
 * its place. World coordinates throughout.
 */
export interface EditorPort {
  open(geometry: Geometry): void;
  close(): void;
  /** The geometry as it is now, a drag in progress included; null when closed. */
  readonly geometry: Geometry | null;
  readonly dragging: boolean;
  /** What lies under a place, if anything. */
  gripAt(place: Position, tolerance: number): Grip | null;
  grab(grip: Grip, place: Position): void;
  drag(place: Position): void;
  /** End the drag; what it did, or null where nothing changed. */
  drop(): { readonly geometry: Geometry; readonly verb: Verb } | null;
  /** Forget the drag. */
  cancel(): void;
  /** Choose the next (1) or previous (-1) corner for the keyboard. */
  step(by: 1 | -1): void;
  chooseCorner(vertex: Vertex | null): void;
  /** Move the chosen corner, or the whole, by a world distance. */
  nudge(by: Position): { readonly geometry: Geometry; readonly verb: Verb } | null;
  /** Remove a corner (the chosen one without an argument); null where it cannot be. */
  removeCorner(vertex?: Vertex): { readonly geometry: Geometry; readonly verb: Verb } | null;
  readonly chosen: Vertex | null;
  draw(pen: CanvasRenderingContext2D, frame: Frame, colour: string): void;
}

/** Past this many corners only those of the chosen ring's neighbourhood could be grabbed anyway: hide half-way points. */
const MOST_MIDDLES = 300;

export class VertexEditor implements EditorPort {
  private start: Geometry | null = null;
  private now: Geometry | null = null;
  private grip: Grip | null = null;
  private from: Position = [0, 0];
  chosen: Vertex | null = null;

  get geometry(): Geometry | null {
    return this.now;
  }

  get dragging(): boolean {
    return this.grip !== null;
  }

  open(geometry: Geometry): void {
    if (this.grip) return;
    if (this.now !== geometry && !(this.now && sameGeometry(this.now, geometry))) this.chosen = null;
    this.start = this.now = geometry;
  }

  close(): void {
    this.start = this.now = this.grip = this.chosen = null;
  }

  gripAt(place: Position, tolerance: number): Grip | null {
    if (!this.now) return null;
    const [corner, reach] = nearest(this.corners(), place);
    if (corner && reach <= tolerance) return { kind: "corner", vertex: corner };
    const [middle, middleReach] = nearest(this.middles(), place);
    if (middle && middleReach <= tolerance * 0.8) return { kind: "middle", vertex: middle };
    return covers(this.now, fromWorld(place)) ? { kind: "body" } : null;
  }

  grab(grip: Grip, place: Position): void {
    this.grip = grip;
    this.from = place;
    this.start = this.now;
    this.chosen = grip.kind === "corner" ? grip.vertex : null;
  }

  drag(place: Position): void {
    if (!this.grip || !this.start) return;
    this.now = this.dragged(this.start, this.grip, place);
  }

  private dragged(start: Geometry, grip: Grip, place: Position): Geometry {
    if (grip.kind === "body") return moveBy(start, [place[0] - this.from[0], place[1] - this.from[1]]);
    const to = fromWorld(place);
    if (grip.kind === "corner") return isBox(start) ? moveBoxCorner(start, grip.vertex, to) : moveVertex(start, grip.vertex, to);
    return isBox(start) ? moveBoxSide(start, grip.vertex, to) : insertVertex(start, grip.vertex, to);
  }

  drop(): { readonly geometry: Geometry; readonly verb: Verb } | null {
    const { grip, start, now } = this;
    this.grip = null;
    if (!grip || !start || !now || now === start || sameGeometry(start, now)) return null;
    this.start = now;
    if (grip.kind === "body") return { geometry: now, verb: "Move sample" };
    if (isBox(start)) return { geometry: now, verb: "Resize box" };
    if (grip.kind === "corner") return { geometry: now, verb: "Move corner" };
    this.chosen = { part: grip.vertex.part, index: grip.vertex.index + 1 };
    return { geometry: now, verb: "Add corner" };
  }

  cancel(): void {
    this.grip = null;
    this.now = this.start;
  }

  step(by: 1 | -1): void {
    const all = this.corners().map(({ vertex }) => vertex);
    const at = all.findIndex((one) => one.part === this.chosen?.part && one.index === this.chosen.index);
    this.chosen = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : (at + by + all.length) % all.length] ?? null;
  }

  chooseCorner(vertex: Vertex | null): void {
    this.chosen = vertex;
  }

  nudge(by: Position): { readonly geometry: Geometry; readonly verb: Verb } | null {
    if (!this.now || this.grip) return null;
    const { chosen } = this;
    const corner = chosen && this.corners().find(({ vertex }) => vertex.part === chosen.part && vertex.index === chosen.index);
    const place: Position = corner ? [corner.place[0] + by[0], corner.place[1] + by[1]] : by;
    this.grab(chosen ? { kind: "corner", vertex: chosen } : { kind: "body" }, corner ? corner.place : [0, 0]);
    this.drag(place);
    return this.drop();
  }

  removeCorner(vertex: Vertex | undefined = this.chosen ?? undefined): { readonly geometry: Geometry; readonly verb: Verb } | null {
    if (!this.now || !vertex || this.grip) return null;
    const geometry = removeVertex(this.now, vertex);
    if (!geometry) return null;
    this.start = this.now = geometry;
    this.chosen = null;
    return { geometry, verb: "Remove corner" };
  }

  private corners(): { vertex: Vertex; place: Position }[] {
    if (!this.now) return [];
    return openParts(this.now).flatMap((part, p) => part.map((position, index) => ({ vertex: { part: p, index }, place: toWorld(position) })));
  }

  private middles(): { vertex: Vertex; place: Position }[] {
    if (!this.now || this.now.type === "Point" || this.now.type === "MultiPoint") return [];
    const closed = this.now.type === "Polygon" || this.now.type === "MultiPolygon";
    const open = openParts(this.now);
    if (open.reduce((sum, part) => sum + part.length, 0) > MOST_MIDDLES) return [];
    return open.flatMap((part, p) =>
      part.slice(0, closed ? undefined : -1).flatMap((position, index) => {
        const next = part[(index + 1) % part.length];
        return next ? [{ vertex: { part: p, index }, place: toWorld(midpoint(position, next)) }] : [];
      }),
    );
  }

  draw(pen: CanvasRenderingContext2D, frame: Frame, colour: string): void {
    if (!this.now) return;
    pen.beginPath();
    trace(pen, frame, shapeOf(this.now));
    fill(pen, colour, 0.14);
    stroke(pen, "#ffffff", 4.5);
    stroke(pen, colour, 2.5);
    if (!this.grip) for (const { place } of this.middles()) this.dot(pen, frame, place, 4, "rgb(255 255 255 / 75%)", colour);
    for (const { vertex, place } of this.corners()) {
      const chosen = vertex.part === this.chosen?.part && vertex.index === this.chosen.index;
      this.dot(pen, frame, place, chosen ? 7.5 : 5.5, chosen ? colour : "#ffffff", chosen ? "#ffffff" : colour);
    }
  }

  private dot(pen: CanvasRenderingContext2D, frame: Frame, [x, y]: Position, radius: number, inside: string, outside: string): void {
    pen.beginPath();
    pen.arc(x * frame.scale - frame.origin[0], y * frame.scale - frame.origin[1], radius, 0, 2 * Math.PI);
    stroke(pen, "rgb(0 0 0 / 55%)", 3.5);
    pen.fillStyle = inside;
    pen.fill();
    stroke(pen, outside, 2);
  }
}

function nearest(places: readonly { vertex: Vertex; place: Position }[], [x, y]: Position): [Vertex | null, number] {
  let [best, reach]: [Vertex | null, number] = [null, Infinity];
  for (const { vertex, place } of places) {
    const apart = Math.hypot(place[0] - x, place[1] - y);
    if (apart < reach) [best, reach] = [vertex, apart];
  }
  return [best, reach];
}

/** A box with the side after a corner moved to a place, its other sides staying. */
function moveBoxSide(box: Geometry, { index }: Vertex, to: Position): Geometry {
  const ring = openParts(box)[0] ?? [];
  const [a, b] = [ring[index], ring[(index + 1) % 4]];
  const [c] = [ring[(index + 2) % 4]];
  if (!a || !b || !c) return box;
  const upright = a[0] === b[0];
  return boxBetween(upright ? [to[0], a[1]] : [a[0], to[1]], c);
}
