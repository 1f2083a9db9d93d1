// The legend on the printed page: the same rows and strokes as in the panel.
import { symbolPath } from "../ui/vector-paint";
import { conditionText, fieldName, graduatedRows, pictureRows } from "./legend-text";
import type { Shown } from "./state";
import { featureStyle, FILL, LINE, NO_VALUE, RADIUS, SINGLE } from "./style";
import type { GeometryTypes } from "./swatch";
import { titleOf } from "./types";
import type { FeaturesRow, LayerRow } from "./types";

export type LegendLine =
  | { kind: "title" | "note"; text: string }
  | { kind: "swatch"; text: string; colour: string; row: FeaturesRow | null }
  | { kind: "ramp"; colours: string[]; low: string; high: string };

function featureLines(row: FeaturesRow, shown: Shown): LegendLine[] {
  const style = featureStyle(row);
  const hidden = new Set(shown.filter.hidden);
  const swatch = (text: string, colour: string): LegendLine => ({ kind: "swatch", text, colour, row });
  const lines: LegendLine[] = [];
  if (style.by === "single") lines.push(swatch("Features", style.colour ?? SINGLE));
  else if (style.by === "graduated") lines.push({ kind: "note", text: fieldName(style.field ?? "") }, ...graduatedRows(style).map(({ text, colour }) => swatch(text, colour)));
  else lines.push(...row.features.classes.filter((item) => !item.retired && !hidden.has(item.value)).map((item) => swatch(item.name, item.colour || NO_VALUE)));
  const conditions = [...(shown.filter.score ? [{ field: "score", range: shown.filter.score }] : []), ...(shown.filter.fields ?? [])];
  return [...lines, ...conditions.map((condition): LegendLine => ({ kind: "note", text: `Only ${conditionText(condition)}` }))];
}

function imageryLines(row: Exclude<LayerRow, FeaturesRow>): LegendLine[] {
  if (row.kind === "class_raster") return row.imagery.classes.map((item) => ({ kind: "swatch", text: item.name, colour: item.colour, row: null }));
  if (row.picture.query === "") return [];
  const shown = pictureRows(row);
  if (!shown) return [];
  if (shown.kind === "bands") return shown.rows.map((text) => ({ kind: "note", text }));
  return [{ kind: "note", text: shown.name }, { kind: "ramp", colours: shown.colours, low: shown.low, high: shown.high }];
}

/** All lines, the top layer first. */
export function legendLines(rows: readonly LayerRow[], look: ReadonlyMap<number, Shown>): LegendLine[] {
  return [...rows].reverse().flatMap((row): LegendLine[] => {
    const shown = look.get(row.id);
    if (!shown?.visible) return [];
    return [{ kind: "title", text: titleOf(row) }, ...(row.kind === "features" ? featureLines(row, shown) : imageryLines(row))];
  });
}

/** A round length of at most so many metres: 1, 2 or 5 with zeros. */
export function roundLength(most: number): number {
  const unit = 10 ** Math.floor(Math.log10(most));
  return unit * (most >= 5 * unit ? 5 : most >= 2 * unit ? 2 : 1);
}

/** Break a text into lines no wider than a width. */
export function wrapped(pen: CanvasRenderingContext2D, text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    const longer = line ? `${line} ${word}` : word;
    if (line && pen.measureText(longer).width > width) {
      lines.push(line);
      line = word;
    } else {
      line = longer;
    }
  }
  return line ? [...lines, line] : lines;
}

interface Frame {
  left: number;
  top: number;
  width: number;
  bottom: number;
  /** Height of a letter. */
  size: number;
  family: string;
}

/** Draw the lines; returns how many found no room. */
export function drawLegend(pen: CanvasRenderingContext2D, lines: readonly LegendLine[], types: ReadonlyMap<number, GeometryTypes>, frame: Frame): number {
  const { left, width, bottom, size, family } = frame;
  let y = frame.top;
  for (const [index, line] of lines.entries()) {
    const font = `${line.kind === "title" ? "600" : "400"} ${size}px ${family}`;
    pen.font = font;
    if (line.kind === "title" && index > 0) y += size * 0.8;
    const indent = line.kind === "swatch" ? size * 2 : 0;
    const texts = line.kind === "ramp" ? [""] : wrapped(pen, line.text, width - indent);
    const height = line.kind === "ramp" ? size * 2.6 : texts.length * size * 1.4;
    if (y + height > bottom) return lines.length - index;
    if (line.kind === "swatch") drawSwatch(pen, line, types, left, y, size);
    if (line.kind === "ramp") {
      const fill = pen.createLinearGradient(left, 0, left + width, 0);
      line.colours.forEach((colour, at) => fill.addColorStop(at / (line.colours.length - 1), colour));
      pen.fillStyle = fill;
      pen.fillRect(left, y, width, size * 0.9);
      pen.fillStyle = "#222222";
      pen.fillText(line.low, left, y + size * 2.1);
      pen.fillText(line.high, left + width - pen.measureText(line.high).width, y + size * 2.1);
    }
    pen.fillStyle = line.kind === "note" ? "#555555" : "#111111";
    texts.forEach((text, at) => pen.fillText(text, left + indent, y + size * (1 + at * 1.4)));
    y += height;
  }
  return 0;
}

function drawSwatch(pen: CanvasRenderingContext2D, line: Extract<LegendLine, { kind: "swatch" }>, types: ReadonlyMap<number, GeometryTypes>, left: number, top: number, size: number): void {
  const style = line.row ? featureStyle(line.row) : { fill: 1, line: 0 };
  const seen = line.row ? (types.get(line.row.id) ?? []) : [];
  const pixel = size / 13;
  pen.fillStyle = pen.strokeStyle = line.colour;
  pen.lineWidth = (style.line ?? LINE) * pixel;
  if (seen.length === 1 && seen[0] === 1) {
    const path = symbolPath("symbol" in style && style.symbol ? style.symbol : "circle", left + size * 0.7, top + size * 0.6, Math.min("radius" in style ? (style.radius ?? RADIUS) : RADIUS, 7) * pixel);
    pen.fill(path);
  } else if (seen.length === 1 && seen[0] === 2) {
    pen.beginPath();
    pen.moveTo(left, top + size * 0.6);
    pen.lineTo(left + size * 1.4, top + size * 0.6);
    pen.stroke();
  } else {
    pen.globalAlpha = style.fill ?? FILL;
    pen.fillRect(left, top + size * 0.1, size * 1.4, size);
    pen.globalAlpha = 1;
    if ((style.line ?? LINE) > 0) pen.strokeRect(left, top + size * 0.1, size * 1.4, size);
  }
}
