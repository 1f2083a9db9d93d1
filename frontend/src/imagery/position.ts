// Where a picture lies on Earth, as typed by people. Pure: text in, position or reason out.
import type { Position } from "./types";

export type Way = "file" | "epsg" | "world" | "bounds" | "centre";

/** What stands in the form, as typed. */
export interface Draft {
  way: Way;
  epsg: string;
  world: string;
  west: string;
  south: string;
  east: string;
  north: string;
  lon: string;
  lat: string;
  gsd: string;
}

export type Checked = { valid: true; position: Position } | { valid: false; reason: string };

export const EMPTY: Draft = {
  way: "file",
  epsg: "",
  world: "",
  west: "",
  south: "",
  east: "",
  north: "",
  lon: "",
  lat: "",
  gsd: "",
};

const PICTURE = /\.(png|jpe?g)$/i;
const RASTER = /\.(tiff?|png|jpe?g)$/i;
const WORLD = /\.(tfw|tifw|pgw|pngw|jgw|jpgw|jpegw|wld)$/i;

/** True for pictures that cannot say themselves where they lie. */
export const isPicture = (name: string): boolean => PICTURE.test(name);
/** True for files that can be taken. */
export const isRaster = (name: string): boolean => RASTER.test(name);
/** True for world files, which go with the picture of the same name. */
export const isWorldFile = (name: string): boolean => WORLD.test(name);

/** The name without its last suffix, in lower case: a world file belongs to the picture with the same one. */
export const stem = (name: string): string => name.replace(/\.[^.]*$/, "").toLowerCase();

function numeric(text: string): number | null {
  const trimmed = text.trim().replace(",", ".");
  const value = Number(trimmed);
  return trimmed === "" || !Number.isFinite(value) ? null : value;
}

function epsgOf(text: string): number | null {
  const found = /^(?:EPSG:)?(\d{4,6})$/i.exec(text.trim());
  return found?.[1] === undefined ? null : Number(found[1]);
}

const no = (reason: string): Checked => ({ valid: false, reason });

function checkWorld(draft: Draft): Checked {
  const numbers = draft.world.trim().split(/\s+/).map(numeric);
  if (numbers.length !== 6 || numbers.some((value) => value === null)) return no("A world file has six numbers.");
  const epsg = epsgOf(draft.epsg);
  if (epsg === null) return no("Give the EPSG code of the world file's numbers, such as 32633.");
  return { valid: true, position: { world_file: draft.world.trim(), epsg } };
}

function checkBounds(draft: Draft): Checked {
  const [west, south, east, north] = [draft.west, draft.south, draft.east, draft.north].map(numeric);
  if (west == null || south == null || east == null || north == null) return no("Give all four bounds as numbers.");
  if (west >= east) return no("West must be smaller than east.");
  if (south >= north) return no("South must be smaller than north.");
  const epsg = draft.epsg.trim() === "" ? 4326 : epsgOf(draft.epsg);
  if (epsg === null) return no("The EPSG code is a number such as 4326.");
  if (epsg === 4326 && (Math.abs(south) > 90 || Math.abs(north) > 90)) return no("Latitudes lie between -90 and 90.");
  return { valid: true, position: { bounds: [west, south, east, north], epsg } };
}

function checkCentre(draft: Draft): Checked {
  const [lon, lat, gsd] = [draft.lon, draft.lat, draft.gsd].map(numeric);
  if (lon == null || lat == null) return no("Give longitude and latitude of the centre as numbers.");
  if (Math.abs(lon) > 180 || lat < -80 || lat > 84) return no("Longitude is -180 to 180, latitude -80 to 84.");
  if (gsd == null || gsd <= 0) return no("Give the ground size of a pixel in metres, such as 0.1.");
  return { valid: true, position: { centre: [lon, lat], gsd_m: gsd } };
}

/** Check what was typed for one file. */
export function check(draft: Draft, filename: string): Checked {
  if (draft.way === "file") {
    if (isPicture(filename)) return no("A PNG or JPEG does not say where it lies. Choose how to place it.");
    return { valid: true, position: {} };
  }
  if (draft.way === "epsg") {
    const epsg = epsgOf(draft.epsg);
    return epsg === null ? no("The EPSG code is a number such as 32633.") : { valid: true, position: { epsg } };
  }
  if (draft.way === "world") return checkWorld(draft);
  return draft.way === "bounds" ? checkBounds(draft) : checkCentre(draft);
}

/** The ways that make sense for a file. */
export function waysFor(filename: string): { value: Way; label: string }[] {
  const placed = [
    { value: "centre", label: "Centre and pixel size" },
    { value: "bounds", label: "Bounds" },
    { value: "world", label: "World file" },
  ] as const;
  if (isPicture(filename)) return [{ value: "file", label: "Choose how to place it…" }, ...placed];
  return [{ value: "file", label: "As the file says" }, { value: "epsg", label: "EPSG code (the file has none)" }, ...placed];
}
