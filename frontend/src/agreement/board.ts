// The map of an adjudication: both versions over each other in two colours, the chosen one's corners while it is edited.

import { CanvasPane } from "../label/canvas-pane";
import type { Frame } from "../label/canvas-pane";
import { VertexEditor } from "../label/editor";
import { boundsOf, joinBounds } from "../label/geometry";
import { fill, stroke, trace } from "../label/layer";
import { listenTo } from "../label/pointer";
import { hit, shapeOf } from "../label/shapes";
import type { Geometry } from "../label/types";
import { createMap, imageryLayer, toLatLngBounds } from "../ui/map";
import type { ImageryInfo } from "../ui/map";
import { decisionOf } from "./deciding";
import type { Decisions } from "./deciding";
import type { Difference, Take } from "./types";

/** On imagery, whatever its colours; the page's list uses the same (page.css). */
export const COLOURS = { a: "#00c8ff", b: "#ff3ea5", edit: "#ffe14d" } as const;
const CELL = "#ffffff";
const GRIP_PX = 9;

export interface BoardView {
  readonly cell: Geometry;
  readonly differences: readonly Difference[];
  readonly decisions: Decisions;
  readonly chosen: string | null;
  /** The shape that is being changed. */
  readonly editing: Geometry | null;
}

export interface BoardEvents {
  choose(key: string): void;
  /** The shape was changed by hand. */
  edited(geometry: Geometry): void;
}

export class Board {
  readonly map: L.Map;
  private readonly pane: CanvasPane;
  private readonly editor = new VertexEditor();
  private readonly stopListening: () => void;
  private view: BoardView | null = null;

  /** `shift`: Web Mercator metres by which the imagery is shown beside its place. */
  constructor(element: HTMLElement, imagery: ImageryInfo, shift: readonly [x: number, y: number], private readonly events: BoardEvents) {
    this.map = createMap(element, { bounds: imagery.bounds });
    imageryLayer(imagery).addTo(this.map).setShift(shift);
    this.map.createPane("versions").classList.add("versions-pane");
    this.pane = new CanvasPane((pen, frame) => this.draw(pen, frame), "versions").addTo(this.map);
    this.stopListening = listenTo(this.map, this.gestures(), () => false);
  }

  show(view: BoardView): void {
    this.view = view;
    if (view.editing) this.editor.open(view.editing);
    else this.editor.close();
    this.pane.redraw();
  }

  /** Look at a difference, or at the whole cell. */
  look(difference: Difference | null): void {
    if (!this.view) return;
    const shapes = difference ? [difference.a, difference.b].flatMap((one) => (one ? [one.geometry] : [])) : [this.view.cell];
    const bounds = joinBounds(shapes.map(boundsOf));
    // Its surroundings too: without them nobody can tell a roof from a yard.
    if (bounds) this.map.fitBounds(toLatLngBounds([...bounds]).pad(difference ? 0.8 : 0.05), { animate: false, maxZoom: 22 });
  }

  stop(): void {
    this.stopListening();
    this.map.remove();
  }

  private gestures(): Parameters<typeof listenTo>[1] {
    const reach = (touch: boolean): number => (touch ? 2 * GRIP_PX : GRIP_PX) / (256 * 2 ** this.map.getZoom());
    return {
      press: ({ world, touch }) => {
        const grip = this.editor.gripAt(world, reach(touch));
        if (!grip) return false;
        this.editor.grab(grip, world);
        return true;
      },
      drag: ({ world }) => {
        this.editor.drag(world);
        this.pane.redraw();
      },
      release: () => {
        const changed = this.editor.drop();
        if (changed) this.events.edited(changed.geometry);
        this.pane.redraw();
      },
      still: () => this.editor.cancel(),
      cancel: () => {
        this.editor.cancel();
        this.pane.redraw();
      },
      click: ({ world, touch }) => {
        if (this.editor.geometry) return;
        const tolerance = reach(touch);
        const found = this.view?.differences.find(({ a, b }) => [a, b].some((one) => one !== null && hit(shapeOf(one.geometry), world, tolerance)));
        if (found) this.events.choose(found.key);
      },
      hover: () => undefined,
      leave: () => undefined,
      menu: () => false,
    };
  }

  private draw(pen: CanvasRenderingContext2D, frame: Frame): void {
    const { view } = this;
    if (!view) return;
    pen.lineJoin = "round";
    pen.beginPath();
    trace(pen, frame, shapeOf(view.cell));
    pen.setLineDash([6, 5]);
    stroke(pen, "rgb(0 0 0 / 60%)", 3);
    stroke(pen, CELL, 1.5);
    pen.setLineDash([]);
    const rest = view.differences.filter(({ key }) => key !== view.chosen);
    for (const one of rest) this.versions(pen, frame, one, false);
    const chosen = view.differences.find(({ key }) => key === view.chosen);
    if (chosen) this.versions(pen, frame, chosen, true);
    this.editor.draw(pen, frame, COLOURS.edit);
  }

  private versions(pen: CanvasRenderingContext2D, frame: Frame, one: Difference, chosen: boolean): void {
    const decision = this.view ? decisionOf(one, this.view.decisions) : null;
    for (const side of ["a", "b"] as const) {
      const version = one[side];
      if (!version) continue;
      const dropped = decision !== null && !taken(side, decision.take);
      pen.beginPath();
      trace(pen, frame, shapeOf(version.geometry));
      if (dropped) pen.setLineDash([3, 5]);
      if (chosen && !dropped) fill(pen, COLOURS[side], 0.16);
      stroke(pen, "rgb(0 0 0 / 55%)", chosen ? 5 : 3);
      stroke(pen, COLOURS[side], chosen ? 3 : 1.5);
      pen.setLineDash([]);
    }
    const edited = decision?.take === "edit" && !chosen ? decision.geometry : undefined;
    if (!edited) return;
    pen.beginPath();
    trace(pen, frame, shapeOf(edited));
    stroke(pen, COLOURS.edit, 2.5);
  }
}

function taken(side: "a" | "b", take: Take): boolean {
  return take === side || take === "both";
}

