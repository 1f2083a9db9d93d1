// Colleagues on the map: their pointers, and what they have open to change.

import type { View } from "./app";
import type { Frame } from "./canvas-pane";
import { toWorld } from "./geometry";
import { stroke, trace } from "./layer";
import { shapeOf } from "./shapes";
import { at } from "./sketch-drawing";

/** Colours of people, apart from each other and from imagery. */
const PEOPLE = ["#ff6b6b", "#4dabf7", "#ffd43b", "#69db7c", "#da77f2", "#ffa94d", "#38d9a9", "#f783ac"];

export function personColour(id: string): string {
  const sum = [...id].reduce((total, letter) => (total * 31 + letter.charCodeAt(0)) >>> 0, 7);
  return PEOPLE[sum % PEOPLE.length] ?? "#ffffff";
}

/** What colleagues have open to change: an outline in their colour and their name. */
export function drawMarks(pen: CanvasRenderingContext2D, frame: Frame, view: View, me: string): void {
  pen.font = "600 12px system-ui, sans-serif";
  pen.textBaseline = "middle";
  for (const { id, name, editing = [] } of view.members)
    // Of a torn sample both versions are shown: a third outline would hide one of them.
    for (const sample of id === me ? [] : editing.flatMap((one) => (view.doc.conflicts.some((torn) => torn.id === one) ? [] : (view.doc.view.get(one) ?? [])))) {
      const shape = shapeOf(sample.geometry);
      const colour = personColour(id);
      pen.beginPath();
      trace(pen, frame, shape);
      pen.setLineDash([8, 5]);
      stroke(pen, "rgb(0 0 0 / 60%)", 4.5);
      stroke(pen, colour, 2.5);
      pen.setLineDash([]);
      const [x, y] = at([shape.box[0], shape.box[1]], frame);
      const said = `${name.length > 24 ? `${name.slice(0, 23)}…` : name} is editing`;
      pen.fillStyle = colour;
      pen.beginPath();
      pen.roundRect(x, y - 24, pen.measureText(said).width + 12, 20, 5);
      pen.fill();
      pen.fillStyle = "#10201c";
      pen.fillText(said, x + 6, y - 13.5);
    }
}

/** Colleagues' pointers with their names. */
export function drawCursors(pen: CanvasRenderingContext2D, frame: Frame, view: View): void {
  pen.font = "600 12px system-ui, sans-serif";
  pen.textBaseline = "middle";
  for (const { id, name, position } of view.cursors) {
    const [x, y] = at(toWorld(position), frame);
    const colour = personColour(id);
    pen.beginPath();
    pen.moveTo(x, y);
    pen.lineTo(x + 4, y + 14);
    pen.lineTo(x + 7.5, y + 9);
    pen.lineTo(x + 13.5, y + 8);
    pen.closePath();
    stroke(pen, "rgb(0 0 0 / 70%)", 3);
    pen.fillStyle = colour;
    pen.fill();
    const short = name.length > 24 ? `${name.slice(0, 23)}…` : name;
    const width = pen.measureText(short).width;
    pen.beginPath();
    pen.roundRect(x + 12, y + 12, width + 12, 20, 5);
    pen.fill();
    pen.fillStyle = "#10201c";
    pen.fillText(short, x + 18, y + 22.5);
  }
}
