// What becomes of a finished drawing and of the commands on samples: steps of the app.

import { asApiError } from "../ui/api";
import type { App } from "./app";
import {
  created, cutSamples, fillHoles, grownSample, mergeSamples, pasted, reshapeSample, sampleLike, separateSamples, simplifySamples,
  splitSamples, squareSamples, turnSamples,
} from "./commands";
import type { Clipboard, Outcome } from "./commands";
import { areaM2, fromWorld, validity } from "./geometry";
import type { Command } from "./keys";
import { followed } from "./ops/borders";
import { strokeOf } from "./ops/brush";
import { asArea, without } from "./ops/clip";
import { centreOf, placedAt, turned } from "./ops/figures";
import type { Segments } from "./segments/segments";
import { shapeOf } from "./shapes";
import { figureOf } from "./sketches";
import type { SketchTool } from "./sketches";
import type { Geometry, Position, Sample } from "./types";

const LEAST_BRUSH_PX = 4;
const MOST_BRUSH_PX = 200;
const BRUSH_STEP = 1.25;
const [LEAST_TOLERANCE, MOST_TOLERANCE, TOLERANCE_STEP] = [0.02, 0.6, 1.2];
/** Part of the eraser's own circle under which a left-over piece goes too. */
const CRUMB = 0.1;

export class Drawing {
  private clipboard: Clipboard | null = null;

  /** `pixel`: the size of a pixel of the imagery in world units; `middle`: the place in the middle of the map. */
  constructor(
    private readonly app: App,
    private readonly pixel: number,
    private readonly inView: () => readonly Sample[],
    private readonly middle: () => Position,
    readonly segments: Segments,
    private readonly assist: (tool: "wand" | "object", points: readonly Position[], tolerance: number) => Promise<Geometry>,
  ) {}

  /** All points of a drawing are there; false where nothing came of it. */
  finished(tool: SketchTool, points: readonly Position[], scale: number): boolean {
    const { app } = this;
    switch (tool) {
      case "split":
        return this.take(splitSamples(this.targets(), points.map(fromWorld)));
      case "reshape":
        return this.take(reshapeSample(this.targets(), points.map(fromWorld)));
      case "cut": {
        const away = figureOf("cut", points, scale);
        const area = away && asArea(away);
        return area !== null && this.sound(area) && this.take(cutSamples(this.targets(), area));
      }
      case "eraser":
      case "brush":
        return this.stroke(tool, points, scale);
      case "wand":
      case "object":
        if (app.view.finding) return true;
        void this.find(this.assist(tool, points.map(fromWorld), app.view.tolerance));
        return true;
      case "segments":
        this.segments.stroke(points);
        return true;
      case "stamp":
        return this.again(points[0] ?? this.middle());
      default: {
        const figure = figureOf(tool, points, scale);
        if (!figure || !this.sound(figure)) return false;
        const clear = this.cleared(figure);
        if (!clear) app.refuse("All of it is other samples' already. Switch off keeping clear, or draw elsewhere.");
        else app.drawn(clear);
        return clear !== null;
      }
    }
  }

  /** Corners to follow between two drawn places: those of a neighbour that has both on its outline. */
  between(from: Position, to: Position): readonly Position[] {
    return this.app.view.following && this.app.view.snapping ? (followed(this.app.visible(), from, to) ?? []) : [];
  }

  /** Carry a key's or button's command out; false where the key means nothing now. */
  command(name: Command): boolean | undefined {
    const { app } = this;
    const { view } = app;
    switch (name) {
      case "copy":
        return this.copy();
      case "selectAll":
        app.select(this.inView().map(({ id }) => id), false);
        return true;
      case "larger":
      case "smaller":
        if (view.tool === "segments") this.resize(name === "larger" ? 1 : -1);
        else if (view.tool === "wand") this.tolerate(name === "larger" ? TOLERANCE_STEP : 1 / TOLERANCE_STEP);
        else app.set({ brushPx: Math.round(Math.min(MOST_BRUSH_PX, Math.max(LEAST_BRUSH_PX, view.brushPx * (name === "larger" ? BRUSH_STEP : 1 / BRUSH_STEP)))) });
        return true;
      case "history":
        if (view.selected.size === 1) app.set({ tab: "history", panel: true });
        else app.refuse("Select one sample to see its history.");
        return true;
      case "following":
        app.set({ following: !view.following });
        app.tell(view.following ? "Outlines of neighbours are not followed any more." : "Between two corners snapped to one neighbour its outline is followed.");
        return true;
      case "keepClear":
        app.set({ keepClear: !view.keepClear });
        return true;
      default:
        return app.mayEdit ? this.change(name) : false;
    }
  }

  private change(name: Exclude<Command, "copy" | "selectAll" | "larger" | "smaller" | "history" | "following" | "keepClear">): boolean {
    const chosen = this.app.chosen();
    switch (name) {
      case "merge":
        return this.take(mergeSamples(chosen));
      case "square":
        return this.take(squareSamples(chosen));
      case "simplify":
        return this.take(simplifySamples(chosen, this.pixel));
      case "fillHoles":
        return this.take(fillHoles(chosen));
      case "separate":
        return this.take(separateSamples(chosen));
      case "turnLeft":
      case "turnRight":
        return this.turn(name === "turnRight" ? 1 : -1, chosen);
      case "again":
        return this.again(this.app.pointer ?? this.middle());
      case "paste":
        return this.paste();
    }
  }

  private turn(degrees: number, chosen: readonly Sample[]): boolean {
    const { app } = this;
    const { stamp, tool } = app.view;
    if (tool !== "stamp" || !stamp) return this.take(turnSamples(chosen, degrees));
    app.set({ stamp: turned(stamp, (degrees * Math.PI) / 180) });
    return true;
  }

  private copy(): boolean {
    const samples = this.app.chosen();
    const [first] = samples;
    // Marked text is what the browser should copy.
    if (!first || window.getSelection()?.toString()) return false;
    const middles = samples.map(({ geometry }) => centreOf(geometry));
    const mean = (axis: 0 | 1): number => middles.reduce((sum, place) => sum + place[axis], 0) / middles.length;
    this.clipboard = { samples, centre: [mean(0), mean(1)] };
    this.app.set({ stamp: first.geometry });
    this.app.tell(samples.length === 1 ? "Copied. Paste it, or stamp it." : `${samples.length} samples copied.`);
    return true;
  }

  private paste(): boolean {
    if (!this.clipboard) this.app.refuse("Copy samples first.");
    else this.take(pasted(this.clipboard, this.app.pointer ?? this.middle(), centreOf));
    return true;
  }

  /** The last shape once more, its middle at a place, in the class that is drawn with. */
  private again(place: Position): boolean {
    const { stamp, currentClass } = this.app.view;
    if (!stamp) this.app.refuse("Draw or copy a shape first: it is put again where you click.");
    else {
      const clear = this.cleared(placedAt(stamp, place));
      if (clear && !this.app.mayBe(clear, currentClass)) return true;
      if (clear) this.app.act("Put again", [created(sampleLike({ classValue: currentClass, properties: {} }, clear))]);
      else this.app.refuse("All of it is other samples' already.");
    }
    return true;
  }

  private tolerate(by: number): void {
    const tolerance = Math.min(MOST_TOLERANCE, Math.max(LEAST_TOLERANCE, this.app.view.tolerance * by));
    this.app.set({ tolerance });
    this.app.tell(`Colours may differ by ${Math.round(tolerance * 100)} %.`);
  }

  private resize(by: 1 | -1): void {
    if (!this.segments.resize(by)) this.app.refuse("Make a sample of the chosen segments first (Enter), or let them go (Esc).");
  }

  /** Make one sample of the chosen segments; false where none is. */
  takeSegments(): boolean {
    const outline = this.app.view.tool === "segments" && !this.app.view.finding ? this.segments.outline() : null;
    if (!outline) return false;
    void this.find(outline).then((drawn) => drawn && this.segments.taken());
    return true;
  }

  /** What the server finds in the imagery becomes a sample like a drawn one; false where nothing came of it. */
  private async find(outline: Promise<Geometry>): Promise<boolean> {
    const { app } = this;
    app.set({ finding: true });
    try {
      const clear = this.cleared(await outline);
      if (clear) app.drawn(clear);
      else app.refuse("All of it is other samples' already.");
      return clear !== null;
    } catch (error) {
      const { status, message, fix } = asApiError(error);
      app.refuse(status === 0 ? "The server finds outlines, and it cannot be reached now." : `${message} ${fix}`.trim());
      return false;
    } finally {
      app.set({ finding: false });
    }
  }

  private stroke(tool: "brush" | "eraser", points: readonly Position[], scale: number): boolean {
    const { app } = this;
    const radius = app.view.brushPx / scale;
    const area = strokeOf(points, radius);
    if (!area) return false;
    // A rim that the round brush just missed is nothing anybody meant to keep.
    const [first] = points;
    const dab = first && strokeOf([first], radius);
    if (tool === "eraser") return this.take(cutSamples(this.targets(), area, dab ? areaM2(dab) * CRUMB : 0));
    const [one, ...others] = app.chosen();
    if (one && !others.length && asArea(one.geometry)) return this.take(grownSample(one, area));
    const clear = this.cleared(area);
    if (!clear) return false;
    const made = sampleLike({ classValue: app.view.currentClass, properties: {} }, clear);
    app.act("Paint sample", [created(made)]);
    // The next stroke goes on with it; Esc begins another one.
    app.select([made.id], false);
    return true;
  }

  /** What a drawn line or cut works on: the selected samples, or all that are shown, small ones first. */
  private targets(): readonly Sample[] {
    const chosen = this.app.chosen();
    if (chosen.length) return chosen;
    return [...this.app.visible()].sort((a, b) => shapeOf(a.geometry).size - shapeOf(b.geometry).size);
  }

  /** The figure without what others cover, where that is wanted; null where nothing is left. */
  private cleared(figure: Geometry): Geometry | null {
    const area = this.app.view.keepClear ? asArea(figure) : null;
    if (!area) return figure;
    const others = [...this.app.visible()].flatMap(({ geometry }) => asArea(geometry) ?? []);
    return without(area, others);
  }

  private sound(geometry: Geometry): boolean {
    const { valid, reason } = validity(geometry);
    if (!valid) this.app.refuse(reason);
    return valid;
  }

  /** Take a step, or say why there is none. What was selected is followed by what came of it. */
  private take(outcome: Outcome): boolean {
    const { app } = this;
    if (!outcome.done) {
      app.refuse(outcome.reason);
      return true;
    }
    const had = app.view.selected.size > 0;
    app.act(outcome.label, outcome.changes, { whole: outcome.whole });
    if (had || outcome.label.startsWith("Paste")) app.select(outcome.select, false);
    return true;
  }
}
