// What is being drawn, on the canvas above the samples.

import type { View } from "./app";
import type { Frame } from "./canvas-pane";
import { fill, stroke, trace } from "./layer";
import { placedAt } from "./ops/figures";
import { shapeOf } from "./shapes";
import { figureOf, SKETCHES } from "./sketches";
import type { Draft } from "./host";
import type { Geometry, Position } from "./types";

const CASING = "rgb(0 0 0 / 60%)";
/** Tools that change samples draw in white: what they make has the samples' own colours. */
const CHANGES = "#ffffff";
const RUB = "#ff5c5c";

/** World coordinates on the canvas. */
export function at([x, y]: Position, frame: Frame): Position {
  return [x * frame.scale - frame.origin[0], y * frame.scale - frame.origin[1]];
}

export function drawSketch(pen: CanvasRenderingContext2D, frame: Frame, draft: Extract<Draft, { kind: "sketch" }>, view: View, own: string): void {
  const { tool, tip } = draft;
  const { way } = SKETCHES[tool];
  const colour = tool === "split" || tool === "reshape" || tool === "cut" ? CHANGES : own;
  if (tool === "brush" || tool === "eraser") return drawBrush(pen, frame, draft, view.brushPx, tool === "brush" ? own : RUB);
  if (tool === "segments") return;
  if (tool === "stamp") {
    if (tip && view.stamp) outline(pen, frame, placedAt(view.stamp, tip), own);
    return;
  }
  const points = tip ? [...draft.points, tip] : draft.points;
  const figure = way === "stroke" ? null : figureOf(tool, points, frame.scale);
  if (figure) outline(pen, frame, figure, colour, tool === "cut");
  if (!figure || way === "clicks") path(pen, frame, points, colour);
  if (way === "clicks") draft.points.forEach((point, i) => dot(pen, at(point, frame), i === 0 ? 6 : 4, i === 0 ? colour : "#ffffff"));
}

function outline(pen: CanvasRenderingContext2D, frame: Frame, figure: Geometry, colour: string, dashed = false): void {
  const shape = shapeOf(figure);
  pen.beginPath();
  trace(pen, frame, shape);
  if (shape.area) fill(pen, colour, 0.22);
  stroke(pen, CASING, 4);
  pen.setLineDash(dashed ? [6, 4] : []);
  stroke(pen, colour, 2);
  pen.setLineDash([]);
}

function path(pen: CanvasRenderingContext2D, frame: Frame, points: readonly Position[], colour: string): void {
  pen.beginPath();
  pen.lineJoin = "round";
  points.forEach((point, i) => (i === 0 ? pen.moveTo(...at(point, frame)) : pen.lineTo(...at(point, frame))));
  stroke(pen, CASING, 4);
  stroke(pen, colour, 2);
}

/** The stroke as wide as it paints, and the brush's own circle. */
function drawBrush(pen: CanvasRenderingContext2D, frame: Frame, { points, tip }: Extract<Draft, { kind: "sketch" }>, radius: number, colour: string): void {
  const [first] = points;
  if (first) {
    pen.save();
    pen.lineCap = pen.lineJoin = "round";
    pen.globalAlpha = 0.4;
    pen.beginPath();
    pen.moveTo(...at(first, frame));
    for (const point of points.length === 1 ? points : points.slice(1)) pen.lineTo(...at(point, frame));
    stroke(pen, colour, 2 * radius);
    pen.restore();
  }
  if (!tip) return;
  pen.beginPath();
  pen.arc(...at(tip, frame), radius, 0, 2 * Math.PI);
  stroke(pen, CASING, 3.5);
  stroke(pen, colour, 1.75);
}

function dot(pen: CanvasRenderingContext2D, [x, y]: Position, radius: number, inside: string): void {
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  stroke(pen, CASING, 3);
  pen.fillStyle = inside;
  pen.fill();
  stroke(pen, "#ffffff", 1.25);
}
