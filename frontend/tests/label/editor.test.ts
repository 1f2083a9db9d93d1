import { beforeAll, describe, expect, it, vi } from "vitest";
import type { VertexEditor as Editor } from "../../src/label/editor";
import { figureOf } from "../../src/label/sketches";
import type { SketchTool, Tool } from "../../src/label/sketches";
import type { Draft, Host } from "../../src/label/host";
import type { Tools as ToolsType } from "../../src/label/tools";
import type { Place } from "../../src/label/pointer";
import { boundsOf, fromWorld, isBox, sameGeometry, toWorld, validity } from "../../src/label/geometry";
import { snap } from "../../src/label/shapes";
import type { SamplesLayer } from "../../src/label/layer";
import type { Geometry, Id, Position } from "../../src/label/types";
import { sample, square } from "./make";

let VertexEditor: typeof Editor;
let Tools: typeof ToolsType;

beforeAll(async () => {
  // The layer's canvas extends Leaflet's class, which a page has as window.L.
  vi.stubGlobal("L", { Layer: class {} });
  ({ VertexEditor } = await import("../../src/label/editor"));
  ({ Tools } = await import("../../src/label/tools"));
});

const world = (lon: number, lat: number): Position => toWorld([lon, lat]);
const PX = 1 / (256 * 2 ** 10);

describe("the editor of one geometry", () => {
  it("moves a corner, and says so only when something changed", () => {
    const editor = new VertexEditor();
    const triangle: Geometry = { type: "Polygon", coordinates: [[[0, 0], [2, 0], [1, 2], [0, 0]]] };
    editor.open(triangle);
    const grip = editor.gripAt(world(2, 0), 5 * PX);
    expect(grip).toEqual({ kind: "corner", vertex: { part: 0, index: 1 } });
    if (!grip) return;
    editor.grab(grip, world(2, 0));
    expect(editor.drop()).toBeNull();
    editor.grab(grip, world(2, 0));
    editor.drag(world(3, -1));
    expect(editor.drop()).toMatchObject({ verb: "Move corner", geometry: { coordinates: [[[0, 0], [3, -1], [1, 2], [0, 0]]] } });
  });

  it("makes a corner of a half-way point", () => {
    const editor = new VertexEditor();
    const triangle: Geometry = { type: "Polygon", coordinates: [[[0, 0], [2, 0], [1, 2], [0, 0]]] };
    editor.open(triangle);
    const grip = editor.gripAt(world(1, 0), 5 * PX);
    expect(grip?.kind).toBe("middle");
    if (grip) editor.grab(grip, world(1, 0));
    editor.drag(world(1, -1));
    expect(editor.drop()).toMatchObject({ verb: "Add corner", geometry: { coordinates: [[[0, 0], [1, -1], [2, 0], [1, 2], [0, 0]]] } });
  });

  it("keeps a box a box, by corner and by side", () => {
    const editor = new VertexEditor();
    const table: [from: Position, to: Position, bounds: number[]][] = [
      [[1, 1], [3, 2], [0, 0, 3, 2]],
      [[0.5, 0], [0.5, -2], [0, -2, 1, 1]],
      [[1, 0.5], [4, 0.5], [0, 0, 4, 1]],
    ];
    for (const [from, to, bounds] of table) {
      editor.close();
      editor.open(square(0, 0));
      const grip = editor.gripAt(world(...from), 9 * PX);
      if (grip) editor.grab(grip, world(...from));
      editor.drag(world(...to));
      const done = editor.drop();
      expect(done?.verb).toBe("Resize box");
      expect(done && isBox(done.geometry)).toBe(true);
      boundsOf(done?.geometry ?? square(9, 9)).forEach((value, i) => expect(value).toBeCloseTo(bounds[i] ?? NaN, 6));
    }
  });

  it("lets go without a trace", () => {
    const editor = new VertexEditor();
    editor.open(square(0, 0));
    editor.grab({ kind: "body" }, world(0.5, 0.5));
    editor.drag(world(3, 3));
    editor.cancel();
    expect(editor.geometry && sameGeometry(editor.geometry, square(0, 0))).toBe(true);
    expect(editor.dragging).toBe(false);
  });

  it("does not let a colleague's change slip under a drag", () => {
    const editor = new VertexEditor();
    editor.open(square(0, 0));
    editor.grab({ kind: "body" }, world(0.5, 0.5));
    editor.open(square(7, 7));
    editor.drag(world(0.5, 0.5));
    expect(editor.geometry && sameGeometry(editor.geometry, square(0, 0))).toBe(true);
  });

  it("walks the corners by key, nudges and removes them", () => {
    const editor = new VertexEditor();
    const ring: Geometry = { type: "Polygon", coordinates: [[[0, 0], [2, 0], [2, 1], [1, 2], [0, 0]]] };
    editor.open(ring);
    editor.step(-1);
    expect(editor.chosen).toEqual({ part: 0, index: 3 });
    editor.step(1);
    expect(editor.nudge([PX, 0])).toMatchObject({ verb: "Move corner" });
    expect(editor.removeCorner()).toMatchObject({ verb: "Remove corner" });
    editor.step(1);
    expect(editor.removeCorner()).toBeNull();
  });
});

describe("the tools", () => {
  const place = (lon: number, lat: number, more: Partial<Place> = {}): Place => {
    const at = world(lon, lat);
    return { world: at, px: [at[0] / PX, at[1] / PX], shift: false, alt: false, free: false, touch: false, ...more };
  };
  const bench = (tool: Tool, others: Geometry[] = []): { tools: ToolsType; drawn: Geometry[]; refused: string[]; draft: () => Draft | null } => {
    const drawn: Geometry[] = [];
    const refused: string[] = [];
    const nothing = (): undefined => undefined;
    const host: Host = {
      tool, mayEdit: true, snapping: true, selected: new Set<Id>(), select: nothing, between: () => [],
      finished: (made: SketchTool, points, scale) => {
        const figure = figureOf(made, points, scale);
        const { valid, reason } = figure ? validity(figure) : { valid: true, reason: "" };
        if (!valid) refused.push(reason);
        else if (figure) drawn.push(figure);
        return valid;
      },
      edited: nothing, editing: nothing, refuse: (reason) => refused.push(reason), pointed: nothing, redraw: nothing, cursor: nothing,
    };
    const samples = others.map((geometry, i) => sample(String(i), { geometry }));
    const layer = { scale: () => 1 / PX, snap: (at: Position, px: number) => snap(samples, at, px * PX, null), pick: () => [], inside: () => [] };
    const tools = new Tools(host, layer as unknown as SamplesLayer, new VertexEditor());
    return { tools, drawn, refused, draft: () => tools.draft };
  };

  it("draws a box by a drag, and by two clicks", () => {
    const { tools, drawn } = bench("box");
    tools.press(place(0, 0));
    tools.drag(place(1, 1));
    tools.release(place(2, 1));
    tools.press(place(5, 5));
    tools.still();
    tools.click(place(5, 5));
    tools.press(place(6, 7));
    tools.still();
    tools.click(place(6, 7));
    expect(drawn.map((geometry) => boundsOf(geometry).map(Math.round))).toEqual([[0, 0, 2, 1], [5, 5, 6, 7]]);
  });

  it("refuses a flat box and a polygon that crosses itself, and keeps the polygon for mending", () => {
    const flat = bench("box");
    flat.tools.press(place(0, 0));
    flat.tools.release(place(3, 0));
    expect([flat.drawn.length, flat.refused.length]).toEqual([0, 1]);
    const bow = bench("polygon");
    for (const [lon, lat] of [[0, 0], [2, 2], [2, 0], [0, 2]] as const) bow.tools.click(place(lon, lat));
    bow.tools.finish();
    expect(bow.drawn).toEqual([]);
    expect(bow.refused[0]).toContain("crosses itself");
    expect(bow.draft()).toMatchObject({ kind: "sketch", tool: "polygon", points: { length: 4 } });
    bow.tools.back();
    bow.tools.finish();
    expect(bow.drawn).toHaveLength(1);
  });

  it("closes on the first corner and on the second click of a double click", () => {
    for (const last of [[0, 0], [1, 2]] as const) {
      const { tools, drawn } = bench("polygon");
      for (const [lon, lat] of [[0, 0], [2, 0], [1, 2], last] as const) tools.click(place(lon, lat));
      expect(drawn).toHaveLength(1);
    }
  });

  it("snaps to a neighbour's corner before its edge, and not while Ctrl is held", () => {
    const near = square(10, 10);
    const { tools, draft } = bench("polygon", [near]);
    const off = 6 * PX * 360;
    tools.click(place(10 + off, 10));
    tools.click(place(10.5, 10 - off / 2));
    tools.click(place(11 + off, 11, { free: true }));
    const points = (draft() as Extract<Draft, { kind: "sketch" }>).points.map(fromWorld);
    expect(points[0]).toEqual([10, 10]);
    expect(points[1]?.[1]).toBeCloseTo(10, 6);
    expect(points[2]?.[0]).toBeCloseTo(11 + off, 6);
  });

  it("draws a rectangle by three clicks, a circle by a drag, a line by keys, a freehand outline in one stroke", () => {
    const rectangle = bench("rectangle");
    for (const [lon, lat] of [[0, 0], [2, 0.5], [2, 3]] as const) rectangle.tools.click(place(lon, lat));
    const circle = bench("circle");
    circle.tools.press(place(0, 0));
    circle.tools.drag(place(1, 0));
    circle.tools.release(place(1, 0));
    const line = bench("line");
    for (const [lon, lat] of [[0, 0], [1, 1], [2, 1]] as const) line.tools.place(world(lon, lat));
    line.tools.finish();
    const freehand = bench("freehand");
    freehand.tools.press(place(0, 0));
    for (const [lon, lat] of [[1, 0], [2, 0], [2, 2], [0, 2]] as const) freehand.tools.drag(place(lon, lat));
    freehand.tools.release(place(0, 1));
    const made = [rectangle, circle, line, freehand].map(({ drawn }) => drawn);
    expect(made.map(([one]) => one?.type)).toEqual(["Polygon", "Polygon", "LineString", "Polygon"]);
    expect(made.every(({ length }) => length === 1)).toBe(true);
    expect(boundsOf(made[3]?.[0] ?? square(0, 0)).map(Math.round)).toEqual([0, 0, 2, 2]);
  });

  it("drops a box when a second finger comes, keeps a polygon", () => {
    const box = bench("box");
    box.tools.press(place(0, 0));
    box.tools.drag(place(1, 1));
    box.tools.cancel();
    expect(box.draft()).toBeNull();
    const polygon = bench("polygon");
    polygon.tools.click(place(0, 0));
    polygon.tools.cancel();
    expect(polygon.draft()).not.toBeNull();
  });
});
