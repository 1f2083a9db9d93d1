// The map JSON of `/api/maps/<id>/`, and what its socket says.
import type { LonLat } from "../ui/geodesic";
import type { BasemapInfo, Bounds, ImageryInfo } from "../ui/map";
import type { Compare } from "./swipe";

export interface LayerClass {
  value: number;
  name: string;
  colour: string;
  retired?: boolean;
}

export interface ImageryJson extends ImageryInfo {
  name: string;
  kind: "scene" | "mosaic" | "class_raster";
  state: "building" | "ready";
  width: number;
  height: number;
  gsd_m: number;
  dtype: string;
  bands: { name: string }[];
  acquired_at: string | null;
  classes: LayerClass[];
  position_assumed: boolean;
  position_note: string;
  url: string;
}

export interface FeaturesJson {
  id: string;
  name: string;
  kind: string;
  state: "building" | "ready";
  seq: number;
  count: number;
  bounds: Bounds | null;
  classes: LayerClass[];
  fields: { name: string; type: "string" | "integer" | "number" | "boolean" }[];
  attribution: string;
  tiles: string;
}

export interface Bookmark {
  name: string;
  lon: number;
  lat: number;
  zoom: number;
}

/** Something drawn on the map, beside its layers. */
export interface Note {
  id: string;
  geometry: { type: "Point"; coordinates: LonLat } | { type: "LineString"; coordinates: LonLat[] } | { type: "Polygon"; coordinates: LonLat[][] };
  text: string;
  colour: string;
}

interface Placed {
  id: number;
  title: string;
  visible: boolean;
  opacity: number;
  style: object;
  /** Name of the group that it stands in; "" for none. */
  group: string;
  /** What made it; null where that is not told. */
  origin: { title: string; url: string } | null;
}

/** How imagery is drawn, in complete words: what the legend says. */
export interface Picture {
  /** Behind the tiles' address; "" for the layer's own look. */
  query: string;
  words: Record<string, string[]>;
  /** Colours of the colour map, low to high; empty without one. */
  ramp: string[];
  /** Why the style cannot be shown; "" where it can. */
  problem: string;
}

export interface ImageryRow extends Placed {
  kind: "imagery" | "class_raster";
  imagery: ImageryJson;
  picture: Picture;
}

export interface FeaturesRow extends Placed {
  kind: "features";
  features: FeaturesJson;
}

export type LayerRow = ImageryRow | FeaturesRow;

export interface MapJson {
  id: string;
  project: string;
  name: string;
  description: string;
  share: "private" | "members" | "link" | "public";
  /** Empty where nobody saved one. */
  view: { lon?: number; lat?: number; zoom?: number; compare?: Compare; time?: string };
  /** What lies under the layers: what the map chose (see `Layout`), and what that comes to; null: plain ground. */
  basemap: { choice: string; shown: BasemapInfo | null };
  bookmarks: Bookmark[];
  notes: Note[];
  version: number;
  role: string | null;
  can_edit: boolean;
  can_share: boolean;
  /** The bottom layer first. */
  layers: LayerRow[];
  url: string;
}

export type MapMessage =
  | { type: "welcome"; version: number; layers: { layer: number; number: number; state: string }[] }
  | { type: "map"; version: number }
  | { type: "layer"; layer: number; number: number; state: string; classes_changed: boolean; changed: Bounds | null }
  | { type: "pong" };

/** What a raster holds at a place: null values where it has no data. */
export interface PointJson {
  values: (number | null)[];
  band_names: string[];
  class: LayerClass | null;
  /** Of a mosaic: the scenes with data there, the topmost first. */
  scenes?: { id: string; name: string }[];
}

/** What is behind a layer: its imagery or its features. */
export function sourceOf(row: LayerRow): ImageryJson | FeaturesJson {
  return row.kind === "features" ? row.features : row.imagery;
}

/** What a layer is called on this map. */
export function titleOf(row: LayerRow): string {
  return row.title || sourceOf(row).name;
}
