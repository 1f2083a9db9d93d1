// Tasks on the map: coloured by state, all but one's own dimmed, proposals dashed, on a canvas under the samples; their
// numbers on one above, where they can be read.

import { CanvasPane } from "../canvas-pane";
import type { Frame } from "../canvas-pane";
import { fill, stroke, trace } from "../layer";
import { shapeOf } from "../shapes";
import type { Geometry } from "../types";
import type { TasksView } from "./tasks";
import { STATE_COLOURS } from "./types";
import type { Task } from "./types";

const DIM = "rgb(0 0 0 / 50%)";
const NUMBER_PX = 34;
const PROPOSED = "#ff2bd6";

export class TaskOverlay {
  private readonly pane: CanvasPane;
  private readonly above: CanvasPane;
  private view: TasksView | null = null;
  private all = false;

  constructor(map: L.Map) {
    map.createPane("tasks").classList.add("label-pane", "label-pane-tasks");
    this.pane = new CanvasPane((pen, frame) => this.draw(pen, frame), "tasks").addTo(map);
    map.createPane("task-numbers").classList.add("label-pane", "label-pane-numbers");
    this.above = new CanvasPane((pen, frame) => this.view && this.all && !this.view.own && drawNumbers(pen, frame, this.view), "task-numbers").addTo(map);
  }

  /** `all`: every task, not only one's own. */
  show(view: TasksView, all: boolean): void {
    this.view = view;
    this.all = all;
    this.pane.redraw();
    this.above.redraw();
  }

  stop(): void {
    this.pane.remove();
    this.above.remove();
  }

  private draw(pen: CanvasRenderingContext2D, frame: Frame): void {
    const view = this.view;
    if (!view) return;
    pen.lineJoin = "round";
    if (this.all) drawTasks(pen, frame, view);
    if (view.own) dimAround(pen, frame, view.own.geometry, STATE_COLOURS[view.own.state]);
    const chosen = view.chosen === null ? undefined : view.list.tasks.get(view.chosen);
    if (this.all && chosen) outline(pen, frame, chosen.geometry, "#ffffff", 3);
    for (const geometry of view.preview) outline(pen, frame, geometry, "#ffffff", 1.5);
    const open = view.own ? view.proposals.filter(({ task }) => task === view.own?.id) : this.all ? view.proposals : [];
    pen.setLineDash([7, 5]);
    for (const { geometry } of open) if (geometry) outline(pen, frame, geometry, PROPOSED, 2.5);
    pen.setLineDash([]);
  }
}

/** Where a task's box lies on the canvas; null outside of it. */
function boxOf(frame: Frame, task: Task): readonly [left: number, top: number, right: number, bottom: number] | null {
  const [minX, minY, maxX, maxY] = shapeOf(task.geometry).box;
  const [left, top, right, bottom] = [minX * frame.scale - frame.origin[0], minY * frame.scale - frame.origin[1], maxX * frame.scale - frame.origin[0], maxY * frame.scale - frame.origin[1]];
  return right < 0 || bottom < 0 || left > frame.width || top > frame.height ? null : [left, top, right, bottom];
}

function drawTasks(pen: CanvasRenderingContext2D, frame: Frame, view: TasksView): void {
  for (const task of view.list.tasks.values()) {
    if (!boxOf(frame, task)) continue;
    const colour = STATE_COLOURS[task.state];
    pen.beginPath();
    trace(pen, frame, shapeOf(task.geometry));
    if (task.id !== view.own?.id) fill(pen, colour, task.state === "todo" ? 0.08 : 0.28);
    stroke(pen, "rgb(0 0 0 / 45%)", 2.5);
    stroke(pen, colour, 1.25);
  }
}

function drawNumbers(pen: CanvasRenderingContext2D, frame: Frame, view: TasksView): void {
  pen.font = "600 12px system-ui, sans-serif";
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.lineJoin = "round";
  pen.lineWidth = 3;
  pen.strokeStyle = "rgb(0 0 0 / 75%)";
  pen.fillStyle = "#ffffff";
  for (const task of view.list.tasks.values()) {
    const box = boxOf(frame, task);
    if (!box || box[2] - box[0] < NUMBER_PX || box[3] - box[1] < NUMBER_PX / 2) continue;
    const [x, y] = [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2];
    pen.strokeText(String(task.number), x, y);
    pen.fillText(String(task.number), x, y);
  }
}

/** Everything but the task, darker. */
function dimAround(pen: CanvasRenderingContext2D, frame: Frame, geometry: Geometry, colour: string): void {
  pen.beginPath();
  pen.rect(0, 0, frame.width, frame.height);
  trace(pen, frame, shapeOf(geometry));
  pen.fillStyle = DIM;
  pen.fill("evenodd");
  outline(pen, frame, geometry, colour, 2);
}

function outline(pen: CanvasRenderingContext2D, frame: Frame, geometry: Geometry, colour: string, width: number): void {
  pen.beginPath();
  trace(pen, frame, shapeOf(geometry));
  stroke(pen, "rgb(0 0 0 / 60%)", width + 2);
  stroke(pen, colour, width);
}
