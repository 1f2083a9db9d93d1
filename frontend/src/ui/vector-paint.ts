// How the features of a decoded tile are drawn: which colour each has, and the strokes on the canvas.
import type { DecodedTile, Properties } from "./vector-tile";

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

export type Paint = (classValue: number, properties: Properties) => string | null;

/** Outlines that are drawn at once: of each class value, or of each colour that `by` gave. */
export interface Grouped {
  by: Paint | null;
  paths: Map<number | string, Outlines>;
}

/** What is drawn in one colour: outlines, and squares that stand for the many features within them. */
interface Outlines {
  features: Path2D;
  cells: Path2D;
}

const POINT_RADIUS = 5;
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

/** Add a feature's outline to a path, in tile units. */
export function pathOf(tile: DecodedTile, path: Path2D, feature: number): void {
  const { ringStart, pointStart, points, types } = tile;
  for (let ring = ringStart[feature] ?? 0; ring < (ringStart[feature + 1] ?? 0); ring++) {
    const from = pointStart[ring] ?? 0;
    const to = pointStart[ring + 1] ?? 0;
    path.moveTo(points[2 * from] ?? 0, points[2 * from + 1] ?? 0);
    for (let i = from + 1; i < to; i++) path.lineTo(points[2 * i] ?? 0, points[2 * i + 1] ?? 0);
    if (types[feature] === 3) path.closePath();
  }
}

/** Return the lines and polygons of a tile as one path a class, or a colour where the style paints. */
export function grouped(tile: DecodedTile, style: VectorStyle): Grouped {
  const by = style.paint ?? null;
  const paths: Grouped["paths"] = new Map();
  for (let feature = 0; feature < tile.count; feature++) {
    if (tile.types[feature] === 1) continue;
    const value = tile.classes[feature] ?? -1;
    const key = by ? by(value, tile.properties[feature] ?? {}) : value;
    if (key === null) continue;
    let found = paths.get(key);
    if (!found) {
      found = { features: new Path2D(), cells: new Path2D() };
      paths.set(key, found);
    }
    pathOf(tile, tile.properties[feature]?.["count"] === undefined ? found.features : found.cells, feature);
  }
  return { by, paths };
}

/** Draw the groups' outlines; the pen is in tile units. */
export function drawOutlines(pen: CanvasRenderingContext2D, { paths }: Grouped, style: VectorStyle): void {
  for (const [key, { features, cells }] of paths) {
    if (typeof key === "number" && style.hidden?.has(key)) continue;
    pen.fillStyle = pen.strokeStyle = typeof key === "string" ? key : classColour(style, key);
    pen.globalAlpha = style.fillOpacity ?? 0.35;
    pen.fill(features);
    // No outlines: squares beside each other would look like a grid on the ground.
    pen.globalAlpha = CELL_OPACITY;
    pen.fill(cells);
    pen.globalAlpha = 1;
    if (style.lineWidth !== 0) pen.stroke(features);
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

/** Draw the points; `pixel` is a CSS pixel in tile units. */
export function drawPoints(pen: CanvasRenderingContext2D, tile: DecodedTile, style: VectorStyle, pixel: number): void {
  const radius = (style.radius ?? POINT_RADIUS) * pixel;
  pen.strokeStyle = "#ffffff";
  for (let feature = 0; feature < tile.count; feature++) {
    if (tile.types[feature] !== 1) continue;
    const colour = colourOf(style, tile.classes[feature] ?? -1, tile.properties[feature] ?? {});
    if (colour === null) continue;
    const first = tile.pointStart[tile.ringStart[feature] ?? 0] ?? 0;
    const last = tile.pointStart[tile.ringStart[feature + 1] ?? 0] ?? 0;
    pen.fillStyle = colour;
    for (let i = first; i < last; i++) {
      const path = symbolPath(style.symbol ?? "circle", tile.points[2 * i] ?? 0, tile.points[2 * i + 1] ?? 0, radius);
      pen.fill(path);
      pen.stroke(path);
    }
  }
}

/** Draw rings around the features with these ids. */
export function drawHighlights(pen: CanvasRenderingContext2D, tile: DecodedTile, ids: ReadonlySet<string>, pixel: number): void {
  if (ids.size === 0) return;
  const path = new Path2D();
  for (let feature = 0; feature < tile.count; feature++) {
    const id = tile.properties[feature]?.["id"];
    if (typeof id !== "string" || !ids.has(id)) continue;
    const point = tile.pointStart[tile.ringStart[feature] ?? 0] ?? 0;
    if (tile.types[feature] !== 1) pathOf(tile, path, feature);
    else path.addPath(symbolPath("circle", tile.points[2 * point] ?? 0, tile.points[2 * point + 1] ?? 0, 9 * pixel));
  }
  for (const [colour, size] of [["#ffffff", 5], ["#0b57d0", 2.5]] as const) {
    pen.strokeStyle = colour;
    pen.lineWidth = size * pixel;
    pen.stroke(path);
  }
}
