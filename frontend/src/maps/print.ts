// The map as a page: title, map, legend, scale bar, north arrow, attribution; drawn on a canvas.
import { creditOf } from "../ui/basemap";
import { distance } from "../ui/geodesic";
import { drawNotes } from "./notes";
import { drawLegend, legendLines, roundLength, wrapped } from "./print-legend";
import type { GroundState } from "../ui/ground";
import { Stage } from "./stage";
import type { Look } from "./state";
import type { Compare } from "./swipe";
import type { GeometryTypes } from "./swatch";
import { sourceOf } from "./types";
import type { LayerRow, MapJson } from "./types";

export interface PrintWish {
  title: string;
  /** Of the paper. */
  width_mm: number;
  height_mm: number;
  legend: boolean;
}

export interface PrintSource {
  map: MapJson;
  rows: readonly LayerRow[];
  look: Look;
  types: ReadonlyMap<number, GeometryTypes>;
  compare: Compare | null;
  bounds: L.LatLngBounds;
}

export interface Printed {
  canvas: HTMLCanvasElement;
  /** What is missing on the page, in words; "" where nothing is. */
  missing: string;
}

const DPI = 150;
// Browsers draw the map at 96 dots an inch; the page has more.
const SCALE = DPI / 96;
const PATIENCE_MS = 30_000;
const INK = "#111111";
// Of a basemap, on the page: a browser does not tell a refusal from a server that is away.
const MISSING: Record<GroundState, string> = {
  ok: "",
  partly: "parts of the basemap",
  silent: "the basemap, whose server does not answer or does not let other sites copy its pictures",
};

interface Frame {
  left: number;
  top: number;
  width: number;
  height: number;
}

function drawScale(pen: CanvasRenderingContext2D, metresPerPixel: number, left: number, bottom: number, size: number, most: number): void {
  const length = roundLength(metresPerPixel * most);
  const width = length / metresPerPixel;
  const bar = size * 0.45;
  for (let part = 0; part < 4; part++) {
    pen.fillStyle = part % 2 ? "#ffffff" : INK;
    pen.fillRect(left + (width * part) / 4, bottom - bar, width / 4, bar);
  }
  pen.strokeStyle = INK;
  pen.lineWidth = 1.5;
  pen.strokeRect(left, bottom - bar, width, bar);
  pen.fillStyle = INK;
  pen.fillText("0", left, bottom - bar - size * 0.4);
  pen.fillText(length < 1000 ? `${length} m` : `${length / 1000} km`, left + width - size, bottom - bar - size * 0.4);
}

function drawNorth(pen: CanvasRenderingContext2D, x: number, top: number, size: number): void {
  pen.fillStyle = INK;
  pen.textAlign = "center";
  pen.fillText("N", x, top + size);
  pen.textAlign = "left";
  pen.beginPath();
  pen.moveTo(x, top + size * 1.3);
  pen.lineTo(x + size * 0.7, top + size * 3.2);
  pen.lineTo(x, top + size * 2.8);
  pen.lineTo(x - size * 0.7, top + size * 3.2);
  pen.closePath();
  pen.fill();
}

/** Draw the map alone, on a stage of its own beside the page. */
async function drawMap(pen: CanvasRenderingContext2D, source: PrintSource, frame: Frame): Promise<{ metresPerPixel: number; ground: GroundState; missing: string }> {
  const holder = document.createElement("div");
  holder.className = "print-stage";
  holder.style.width = `${frame.width / SCALE}px`;
  holder.style.height = `${frame.height / SCALE}px`;
  document.body.append(holder);
  const errors: unknown[] = [];
  const stage = new Stage(holder, source.map, null, {
    onMove: () => undefined,
    onPointer: () => undefined,
    onClick: () => undefined,
    onTypes: () => undefined,
    onError: (error) => errors.push(error),
  }, { copied: true });
  try {
    stage.map.options.zoomSnap = 0;
    stage.map.fitBounds(source.bounds, { animate: false });
    stage.show(source.rows, source.look);
    stage.setCompare(source.compare?.mode === "swipe" ? source.compare : null);
    await stage.settled(PATIENCE_MS);
    // Tiles fade in for a fifth of a second, and labels wait for the last tile.
    await new Promise((done) => setTimeout(done, 400));
    pen.save();
    pen.beginPath();
    pen.rect(frame.left, frame.top, frame.width, frame.height);
    pen.clip();
    pen.translate(frame.left, frame.top);
    stage.drawOn(pen, SCALE);
    drawNotesOn(pen, stage, source.map);
    pen.restore();
    const middle = frame.height / SCALE / 2;
    const [a, b] = [stage.map.containerPointToLatLng([0, middle]), stage.map.containerPointToLatLng([100, middle])];
    const ground = stage.ground.isLoading ? "partly" : stage.ground.state;
    const missing = [MISSING[ground], errors.length > 0 ? "values of a field" : ""].filter(Boolean);
    return { metresPerPixel: distance([a.lng, a.lat], [b.lng, b.lat]) / 100 / SCALE, ground, missing: missing.join(" and ") };
  } finally {
    stage.stop();
    holder.remove();
  }
}

/** Notes are lines of an SVG on the map; here they are drawn again. */
function drawNotesOn(pen: CanvasRenderingContext2D, stage: Stage, map: MapJson): void {
  const remove = drawNotes(stage.map, map.notes);
  const frame = stage.map.getContainer().getBoundingClientRect();
  pen.save();
  pen.scale(SCALE, SCALE);
  const pane = stage.map.getPane("overlayPane")?.querySelector("svg");
  const shift = pane?.getBoundingClientRect();
  const [x = 0, y = 0] = (pane?.getAttribute("viewBox") ?? "0 0").split(" ").map(Number);
  for (const path of pane?.querySelectorAll("path") ?? []) {
    pen.save();
    pen.translate((shift?.left ?? 0) - frame.left - x, (shift?.top ?? 0) - frame.top - y);
    const shape = new Path2D(path.getAttribute("d") ?? "");
    if (path.getAttribute("fill") !== "none") {
      pen.globalAlpha = Number(path.getAttribute("fill-opacity") ?? 1);
      pen.fillStyle = path.getAttribute("fill") ?? INK;
      pen.fill(shape);
    }
    pen.globalAlpha = 1;
    pen.strokeStyle = path.getAttribute("stroke") ?? INK;
    pen.lineWidth = Number(path.getAttribute("stroke-width") ?? 1);
    if (path.getAttribute("stroke") !== "none") pen.stroke(shape);
    pen.restore();
  }
  pen.font = "600 13px sans-serif";
  pen.textBaseline = "middle";
  for (const label of stage.map.getPane("tooltipPane")?.querySelectorAll<HTMLElement>(".note-label") ?? []) {
    const box = label.getBoundingClientRect();
    pen.strokeStyle = "#ffffff";
    pen.lineWidth = 3;
    pen.strokeText(label.innerText, box.left - frame.left + 6, box.top - frame.top + box.height / 2);
    pen.fillStyle = INK;
    pen.fillText(label.innerText, box.left - frame.left + 6, box.top - frame.top + box.height / 2);
  }
  pen.restore();
  remove();
}

/** Draw the whole page. */
export async function printed(source: PrintSource, wish: PrintWish): Promise<Printed> {
  const canvas = document.createElement("canvas");
  canvas.width = Math.round((wish.width_mm / 25.4) * DPI);
  canvas.height = Math.round((wish.height_mm / 25.4) * DPI);
  const pen = canvas.getContext("2d");
  if (!pen) throw new Error("This browser draws no canvas.");
  const family = getComputedStyle(document.body).fontFamily;
  const margin = Math.round(DPI * 0.4);
  const size = Math.round(DPI / 7.5);
  pen.fillStyle = "#ffffff";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  const lines = wish.legend ? legendLines(source.rows, source.look) : [];
  const side = lines.length > 0 ? Math.round(canvas.width * 0.22) : 0;
  pen.font = `700 ${size * 1.7}px ${family}`;
  pen.fillStyle = INK;
  const heads = wrapped(pen, wish.title, canvas.width - 2 * margin).slice(0, 2);
  heads.forEach((text, index) => pen.fillText(text, margin, margin + size * (1.5 + 2 * index)));
  const top = margin + (heads.length > 0 ? size * (0.8 + 2 * heads.length) : 0);
  const foot = size * 4.2;
  const frame = { left: margin, top, width: canvas.width - 2 * margin - side, height: canvas.height - top - margin - foot };
  const { metresPerPixel, ground, missing } = await drawMap(pen, source, frame);
  pen.strokeStyle = INK;
  pen.lineWidth = 2;
  pen.strokeRect(frame.left, frame.top, frame.width, frame.height);
  pen.font = `400 ${size}px ${family}`;
  const floor = canvas.height - margin;
  drawScale(pen, metresPerPixel, frame.left, floor - size * 1.8, size, canvas.width * 0.22);
  drawNorth(pen, frame.left + frame.width - size, frame.top + frame.height + size * 0.3, size);
  const { shown } = source.map.basemap;
  const drawn = [...source.rows.filter((row) => source.look.get(row.id)?.visible).map((row) => sourceOf(row).attribution), shown && ground !== "silent" ? creditOf(shown) : ""];
  const credits = [...new Set(drawn)].filter(Boolean);
  pen.font = `400 ${size * 0.75}px ${family}`;
  pen.fillStyle = "#555555";
  pen.fillText(wrapped(pen, [...credits, new Date().toISOString().slice(0, 10), "Web Mercator"].join(" · "), canvas.width - 2 * margin)[0] ?? "", margin, floor);
  if (side > 0) {
    const box = { left: frame.left + frame.width + size, top: frame.top, width: side - size, bottom: frame.top + frame.height - size * 1.5, size: size * 0.85, family };
    const left = drawLegend(pen, lines, source.types, box);
    pen.font = `400 ${size * 0.75}px ${family}`;
    pen.fillStyle = "#555555";
    if (left > 0) pen.fillText(`and ${left} more lines`, box.left, frame.top + frame.height);
  }
  return { canvas, missing };
}
