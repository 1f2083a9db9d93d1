// Where the features of a file lie: their outlines and the frame of the imagery, north up.

import type { JSX } from "preact";
import type { Bounds } from "./types";

const WIDTH = 480;
const HEIGHT = 170;
const PAD = 8;

type Ring = readonly (readonly number[])[];

function rings(geometry: GeoJSON.Geometry): readonly Ring[] {
  switch (geometry.type) {
    case "Polygon":
    case "MultiLineString":
      return geometry.coordinates;
    case "MultiPolygon":
      return geometry.coordinates.flat();
    case "LineString":
      return [geometry.coordinates];
    default:
      return [];
  }
}

function points(geometry: GeoJSON.Geometry): readonly (readonly number[])[] {
  return geometry.type === "Point" ? [geometry.coordinates] : geometry.type === "MultiPoint" ? geometry.coordinates : [];
}

export function Sketch({ shapes, bounds, imagery }: { shapes: readonly GeoJSON.Geometry[]; bounds: Bounds; imagery: Bounds | null }): JSX.Element {
  const [west, south, east, north] = imagery
    ? [Math.min(bounds[0], imagery[0]), Math.min(bounds[1], imagery[1]), Math.max(bounds[2], imagery[2]), Math.max(bounds[3], imagery[3])]
    : bounds;
  // A degree of longitude is shorter than one of latitude.
  const shrink = Math.max(0.05, Math.cos((((south + north) / 2) * Math.PI) / 180));
  const scale = Math.min((WIDTH - 2 * PAD) / Math.max((east - west) * shrink, 1e-9), (HEIGHT - 2 * PAD) / Math.max(north - south, 1e-9));
  const x = (lon: number): number => WIDTH / 2 + (lon - (west + east) / 2) * shrink * scale;
  const y = (lat: number): number => HEIGHT / 2 - (lat - (south + north) / 2) * scale;
  const at = (position: readonly number[]): string => `${x(position[0] ?? 0).toFixed(1)} ${y(position[1] ?? 0).toFixed(1)}`;
  const outline = shapes.flatMap((shape) => rings(shape).map((ring) => `M${ring.map(at).join("L")}`)).join("");
  const dots = shapes.flatMap((shape) => points(shape).map((point) => `M${at(point)}h0.01`)).join("");
  const box = ([w, s, e, n]: Bounds): string => `M${at([w, s])}L${at([e, s])}L${at([e, n])}L${at([w, n])}Z`;
  return (
    <svg class="file-sketch" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label="Sketch of where the features lie, with the frame of the imagery">
      {imagery && <path class="file-sketch-imagery" d={box(imagery)} />}
      {!shapes.length && <path class="file-sketch-shapes" d={box(bounds)} />}
      {outline && <path class="file-sketch-shapes" d={outline} />}
      {dots && <path class="file-sketch-dots" d={dots} />}
    </svg>
  );
}
