// A sample on the imagery: a picture of its surroundings with its outline.

import type { JSX } from "preact";
import { fromWorld, toWorld } from "../label/geometry";
import { shiftOf } from "../label/imagery/offset";
import type { Offset } from "../label/imagery/offset";
import type { BadSample, Bounds } from "./types";

const SIDE = 160;
/** Degrees around a sample where it is small. */
const LEAST = 2e-5;

/** A square around a sample, three times its size, as long on the ground in both directions. */
export function around(bounds: Bounds): Bounds {
  const [west, south, east, north] = bounds;
  const shrink = Math.max(0.05, Math.cos((((south + north) / 2) * Math.PI) / 180));
  const half = Math.max((east - west) * shrink, north - south, LEAST) * 1.5;
  const [x, y] = [(west + east) / 2, (south + north) / 2];
  return [x - half / shrink, y - half, x + half / shrink, y + half];
}

/** Length of the equator in Web Mercator. */
const EARTH_M = 40_075_016.686;

/** The box of the file's pixels that are seen in a box, where the imagery is shown beside its place. */
export function fileBox([west, south, east, north]: Bounds, offset: Offset): Bounds {
  const [x, y] = shiftOf(offset, offset);
  const back = ([lon, lat]: readonly [number, number]): readonly [number, number] => {
    const [column, row] = toWorld([lon, lat]);
    return fromWorld([column - x / EARTH_M, row + y / EARTH_M]);
  };
  return [...back([west, south]), ...back([east, north])];
}

function path(geometry: GeoJSON.Geometry, [west, south, east, north]: Bounds): string {
  const at = ([lon = 0, lat = 0]: readonly number[]): string => `${(((lon - west) / (east - west)) * SIDE).toFixed(1)} ${(((north - lat) / (north - south)) * SIDE).toFixed(1)}`;
  const line = (points: readonly (readonly number[])[]): string => `M${points.map(at).join("L")}`;
  switch (geometry.type) {
    case "Point":
      return `${line([geometry.coordinates])}h0.01`;
    case "MultiPoint":
      return geometry.coordinates.map((point) => `${line([point])}h0.01`).join("");
    case "LineString":
      return line(geometry.coordinates);
    case "Polygon":
    case "MultiLineString":
      return geometry.coordinates.map(line).join("");
    case "MultiPolygon":
      return geometry.coordinates.flat().map(line).join("");
    default:
      return "";
  }
}

export function Picture({ sample, offset }: { sample: BadSample; offset: Offset }): JSX.Element {
  const box = around(sample.bounds);
  const outline = path(sample.geometry, box);
  const source = `/api/imagery/${offset.imagery}/bbox/${fileBox(box, offset).map((one) => one.toFixed(8)).join(",")}/${SIDE}x${SIDE}.webp`;
  return (
    <span class="sample-picture">
      <img src={source} alt="" width={SIDE} height={SIDE} loading="lazy" />
      <svg viewBox={`0 0 ${SIDE} ${SIDE}`} aria-hidden="true">
        <path class="sample-halo" d={outline} />
        <path class="sample-outline" d={outline} />
        {sample.other && <path class="sample-other" d={path(sample.other.geometry, box)} />}
      </svg>
    </span>
  );
}
