// Every drawing tool in one table: how it is drawn, how many points it needs, what the page says meanwhile.

import { fromWorld, polygonFrom } from "./geometry";
import { boxFrom, circleFrom, freehandFrom, lineFrom, pointFrom, rectangleFrom } from "./ops/figures";
import type { Geometry, Position } from "./types";

export type ShapeTool = "box" | "rectangle" | "polygon" | "freehand" | "circle" | "line" | "point";
export type ChangeTool = "brush" | "eraser" | "split" | "cut" | "reshape" | "stamp" | "wand" | "object" | "segments";
export type SketchTool = ShapeTool | ChangeTool;
export type Tool = "select" | SketchTool;

/**
 * How a sketch is drawn: `drag` from one point to another (or two clicks), `clicks` one point each, `stroke` with the
 * pointer down, `place` by one click.
 */
export type Way = "drag" | "clicks" | "stroke" | "place";

export interface Sketch {
  readonly way: Way;
  /** Its points go to the corners and edges of others. */
  readonly snaps: boolean;
  /** Its outline closes on its first point. */
  readonly closed: boolean;
  readonly least: number;
  /** So many points end it. */
  readonly most?: number;
  readonly begin: string;
  readonly next: string;
  /** Refusal of too few points. */
  readonly few: string;
}

const CLOSE = "Click the first corner, double-click or Enter to close";
const END = "Double-click or Enter to end the line";

export const SKETCHES: Readonly<Record<SketchTool, Sketch>> = {
  box: { way: "drag", snaps: true, closed: true, least: 2, begin: "Drag a box, or click two corners", next: "Click or release at the opposite corner", few: "The box is too flat. Drag from one corner to the opposite one." },
  circle: { way: "drag", snaps: true, closed: true, least: 2, begin: "Drag from the middle to the edge, or click both", next: "Click or release at the edge", few: "The circle is too small. Drag from its middle to its edge." },
  rectangle: { way: "clicks", snaps: true, closed: true, least: 3, most: 3, begin: "Click two corners of one side, then the depth", next: "Click the next corner", few: "A rectangle needs three points." },
  polygon: { way: "clicks", snaps: true, closed: true, least: 3, begin: "Click the corners of the outline", next: CLOSE, few: "A polygon needs at least three corners." },
  line: { way: "clicks", snaps: true, closed: false, least: 2, begin: "Click along the line", next: END, few: "A line needs at least two points." },
  point: { way: "place", snaps: true, closed: false, least: 1, begin: "Click to put a point", next: "", few: "" },
  freehand: { way: "stroke", snaps: false, closed: true, least: 3, begin: "Draw around it with the button held", next: "Let go to close it", few: "Draw around something." },
  brush: { way: "stroke", snaps: false, closed: false, least: 1, begin: "Paint with the button held; { and } change the size", next: "Let go to store it", few: "" },
  eraser: { way: "stroke", snaps: false, closed: false, least: 1, begin: "Rub out with the button held; { and } change the size", next: "Let go to store it", few: "" },
  split: { way: "clicks", snaps: true, closed: false, least: 2, begin: "Click a line through what is to be split, from outside to outside", next: END, few: "A line needs at least two points." },
  reshape: { way: "clicks", snaps: true, closed: false, least: 2, begin: "Click the new course, from the outline back to the outline", next: END, few: "A line needs at least two points." },
  cut: { way: "clicks", snaps: true, closed: true, least: 3, begin: "Click around what is to be cut away; inside a sample it makes a hole", next: CLOSE, few: "A cut needs at least three corners." },
  wand: { way: "place", snaps: false, closed: false, least: 1, begin: "Click on something of one colour; { and } change how alike it must be", next: "", few: "" },
  object: { way: "drag", snaps: true, closed: true, least: 2, begin: "Drag a box around one object: its outline is found", next: "Click or release at the opposite corner", few: "The box is too small. Drag it around the whole object." },
  segments: { way: "stroke", snaps: false, closed: false, least: 1, begin: "Click or drag over the segments of one object, then Enter; { and } change their size", next: "", few: "" },
  stamp: { way: "place", snaps: false, closed: false, least: 1, begin: "Click to put the last shape again; , and . turn it", next: "", few: "" },
};

/** Tools that work on the selected samples, and so keep them selected. */
export const KEEPS_SELECTION: ReadonlySet<Tool> = new Set<Tool>(["select", "brush", "eraser", "split", "cut", "reshape", "stamp"]);

/** Screen pixels by which a stroke may be simplified: what a hand trembles. */
const TREMBLE_PX = 1.2;

/** The figure that points make with a shape tool; null for too few. `scale`: world units to screen pixels. */
export function figureOf(tool: SketchTool, points: readonly Position[], scale: number): Geometry | null {
  const [a, b, c] = points;
  if (!a) return null;
  switch (tool) {
    case "point":
      return pointFrom(a);
    case "box":
    case "object":
      return b ? boxFrom(a, b) : null;
    case "circle":
      return b ? circleFrom(a, b) : null;
    case "rectangle":
      return b && c ? rectangleFrom(a, b, c) : null;
    case "freehand":
      return points.length > 2 ? freehandFrom(points, TREMBLE_PX / scale) : null;
    case "polygon":
    case "cut":
      return points.length > 2 ? polygonFrom(points.map(fromWorld)) : null;
    case "line":
    case "split":
    case "reshape":
      return b ? lineFrom(points) : null;
    default:
      return null;
  }
}
