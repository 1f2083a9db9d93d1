// How the features of a decoded tile are drawn: which colour each has, and the strokes. The strokes are drawn wherever a
// canvas is, on the page's thread or in a worker: they know neither style nor DOM.
import { readerOf } from "./vector-columns";
import type { Properties } from "./vector-columns";
import type { DecodedTile, Shapes } from "./vector-tile";

/** What a point looks like. */
export type PointSymbol = "circle" | "square" | "triangle" | "diamond" | "cross";

export interface VectorStyle {
  /** Colour (#rrggbb) of each class value; -1 is "no class". */
  colours: ReadonlyMap<number, string>;
  /** Colour of a class that is not in the map. */
  otherColour?: string | undefined;
  fillOpacity?: number | undefined;
  /** Width of outlines in CSS pixels. */
  lineWidth?: number | undefined;
  /** Class values that are not drawn and not hit. */
  hidden?: ReadonlySet<number> | undefined;
  /** Decides instead of `colours` and `hidden`: a colour, null where it is not drawn. The same function gives the same answers. */
  paint?: Paint | undefined;
  symbol?: PointSymbol | undefined;
  /** Of points, in CSS pixels. */
  radius?: number | undefined;
}

/** The properties are to be read at once: the object is that of the next feature afterwards. */
export type Paint = (classValue: number, properties: Properties) => string | null;

/** Which colour each feature of a tile has: palette[tone - 1], and 0 is not drawn. */
export interface Tones {
  tones: Uint16Array;
  palette: string[];
}

/** Where a tile lies on its canvas. */
export interface Frame {
  /** Of the canvas, in its pixels. */
  width: number;
  height: number;
  /** Canvas pixels of a unit of the tile, and what is cut off at its left and top. */
  scale: number;
  left: number;
  top: number;
  /** A CSS pixel in units of the tile. */
  pixel: number;
}

/** All that a picture of a tile is made of. */
export interface Drawing extends Tones {
  shapes: Shapes;
  frame: Frame;
  fillOpacity: number;
  lineWidth: number;
  symbol: PointSymbol;
  radius: number;
}

export type Pen = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

/** What is drawn in one colour: outlines, and squares that stand for the many features within them. */
interface Outlines {
  features: Path2D;
  cells: Path2D;
}

const POINT_RADIUS = 5;
const POINT_LINE = 1.5;
const CELL_OPACITY = 0.7;
const OTHER_COLOUR = "#8a9591";

/** Return a feature's colour, null where it is not drawn. */
export function colourOf(style: VectorStyle, value: number, properties: Properties): string | null {
  if (style.paint) return style.paint(value, properties);
  return style.hidden?.has(value) ? null : classColour(style, value);
}

function classColour(style: VectorStyle, value: number): string {
  return style.colours.get(value) ?? style.otherColour ?? OTHER_COLOUR;
}

/** Return the colours of a tile's features: a tone for each class value, or for each colour where the style paints. */
export function tonesOf(tile: DecodedTile, style: VectorStyle): Tones {
  const tones = new Uint16Array(tile.count);
  const palette: string[] = [];
  const known = new Map<number | string, number>();
  const read = readerOf(tile.columns);
  for (let feature = 0; feature < tile.count; feature++) {
    const value = tile.classes[feature] ?? -1;
    const key = style.paint ? style.paint(value, read(feature)) : style.hidden?.has(value) ? null : value;
    if (key === null) continue;
    let tone = known.get(key);
    if (tone === undefined) {
      tone = palette.push(typeof key === "string" ? key : classColour(style, key));
      known.set(key, tone);
    }
    tones[feature] = tone;
  }
  return { tones, palette };
}

/** Return what a worker needs to draw a tile in a style. */
export function drawingOf(tile: DecodedTile, { tones, palette }: Tones, style: VectorStyle, frame: Frame): Drawing {
  const { extent, count, types, cells, ringStart, pointStart, points } = tile;
  return {
    shapes: { extent, count, types, cells, ringStart, pointStart, points },
    tones,
    palette,
    frame,
    fillOpacity: style.fillOpacity ?? 0.35,
    lineWidth: style.lineWidth ?? 1.5,
    symbol: style.symbol ?? "circle",
    radius: style.radius ?? POINT_RADIUS,
  };
}

/** Draw a tile; the canvas has the size of the frame. */
export function drawTile(pen: Pen, drawing: Drawing): void {
  clear(pen, drawing.frame);
  drawOutlines(pen, drawing);
  drawPoints(pen, drawing);
}

/** Empty a canvas, and put its pen into the units of the tile. */
function clear(pen: Pen, { width, height, scale, left, top }: Frame): void {
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.clearRect(0, 0, width, height);
  pen.setTransform(scale, 0, 0, scale, -left, -top);
  pen.lineJoin = "round";
}

/** Add a feature's outline to a path, in tile units. */
function addOutline({ ringStart, pointStart, points, types }: Shapes, path: Path2D, feature: number): void {
  for (let ring = ringStart[feature] ?? 0; ring < (ringStart[feature + 1] ?? 0); ring++) {
    const from = pointStart[ring] ?? 0;
    const to = pointStart[ring + 1] ?? 0;
    path.moveTo(points[2 * from] ?? 0, points[2 * from + 1] ?? 0);
    for (let i = from + 1; i < to; i++) path.lineTo(points[2 * i] ?? 0, points[2 * i + 1] ?? 0);
    if (types[feature] === 3) path.closePath();
  }
}

/** Lines and polygons as one path a tone. */
function grouped({ shapes, tones }: Drawing): Map<number, Outlines> {
  const paths = new Map<number, Outlines>();
  for (let feature = 0; feature < shapes.count; feature++) {
    const tone = tones[feature] ?? 0;
    if (tone === 0 || shapes.types[feature] === 1) continue;
    let found = paths.get(tone);
    if (!found) paths.set(tone, (found = { features: new Path2D(), cells: new Path2D() }));
    addOutline(shapes, shapes.cells[feature] === 1 ? found.cells : found.features, feature);
  }
  return paths;
}

function drawOutlines(pen: Pen, drawing: Drawing): void {
  pen.lineWidth = drawing.lineWidth * drawing.frame.pixel;
  for (const [tone, { features, cells }] of grouped(drawing)) {
    pen.fillStyle = pen.strokeStyle = drawing.palette[tone - 1] ?? OTHER_COLOUR;
    pen.globalAlpha = drawing.fillOpacity;
    pen.fill(features);
    // No outlines: squares beside each other would look like a grid on the ground.
    pen.globalAlpha = CELL_OPACITY;
    pen.fill(cells);
    pen.globalAlpha = 1;
    if (drawing.lineWidth !== 0) pen.stroke(features);
  }
}

/** A symbol around a place, as a path. */
export function symbolPath(symbol: PointSymbol, x: number, y: number, radius: number): Path2D {
  const path = new Path2D();
  if (symbol === "circle") path.arc(x, y, radius, 0, 2 * Math.PI);
  else for (const [index, [dx, dy]] of CORNERS[symbol].entries()) path[index === 0 ? "moveTo" : "lineTo"](x + dx * radius, y + dy * radius);
  path.closePath();
  return path;
}

/** Corners of the symbols around 0, 0 in radii; all cover about as much as the circle does. */
export const CORNERS: Record<Exclude<PointSymbol, "circle">, readonly (readonly [number, number])[]> = {
  square: [[-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]],
  triangle: [[0, -1.2], [1.1, 0.8], [-1.1, 0.8]],
  diamond: [[0, -1.25], [1.25, 0], [0, 1.25], [-1.25, 0]],
  cross: [[-0.4, -1.1], [0.4, -1.1], [0.4, -0.4], [1.1, -0.4], [1.1, 0.4], [0.4, 0.4], [0.4, 1.1], [-0.4, 1.1], [-0.4, 0.4], [-1.1, 0.4], [-1.1, -0.4], [-0.4, -0.4]],
};

function drawPoints(pen: Pen, { shapes, tones, palette, frame, symbol, radius }: Drawing): void {
  pen.lineWidth = POINT_LINE * frame.pixel;
  pen.strokeStyle = "#ffffff";
  for (let feature = 0; feature < shapes.count; feature++) {
    const tone = tones[feature] ?? 0;
    if (tone === 0 || shapes.types[feature] !== 1) continue;
    const first = shapes.pointStart[shapes.ringStart[feature] ?? 0] ?? 0;
    const last = shapes.pointStart[shapes.ringStart[feature + 1] ?? 0] ?? 0;
    pen.fillStyle = palette[tone - 1] ?? OTHER_COLOUR;
    for (let i = first; i < last; i++) {
      const path = symbolPath(symbol, shapes.points[2 * i] ?? 0, shapes.points[2 * i + 1] ?? 0, radius * frame.pixel);
      pen.fill(path);
      pen.stroke(path);
    }
  }
}

/** Draw rings around features, and nothing else. */
export function drawRings(pen: Pen, shapes: Shapes, features: Iterable<number>, frame: Frame): void {
  clear(pen, frame);
  const path = new Path2D();
  for (const feature of features) {
    const point = shapes.pointStart[shapes.ringStart[feature] ?? 0] ?? 0;
    if (shapes.types[feature] !== 1) addOutline(shapes, path, feature);
    else path.addPath(symbolPath("circle", shapes.points[2 * point] ?? 0, shapes.points[2 * point + 1] ?? 0, 9 * frame.pixel));
  }
  for (const [colour, size] of [["#ffffff", 5], ["#0b57d0", 2.5]] as const) {
    pen.strokeStyle = colour;
    pen.lineWidth = size * frame.pixel;
    pen.stroke(path);
  }
}
