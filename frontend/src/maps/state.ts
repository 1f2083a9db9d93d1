// What the reader sees of a map: place, visible layers, opacities; kept in the URL so that a link shows the same.
import { onEarth, viewOf } from "../ui/address-hash";
import type { Bounds } from "../ui/map";
import { featureStyle } from "./style";
import type { Filter } from "./style";
import { sourceOf } from "./types";
import type { LayerRow, MapJson } from "./types";

export interface Place {
  lat: number;
  lon: number;
  zoom: number;
}

export interface Shown {
  visible: boolean;
  opacity: number;
  /** Of features. */
  filter: Filter;
}

/** How a layer was saved. */
export function savedLook(row: LayerRow): Shown {
  return { visible: row.visible, opacity: row.opacity, filter: row.kind === "features" ? (featureStyle(row).filter ?? {}) : {} };
}

/** How each layer (by id) is shown here and now. */
export type Look = ReadonlyMap<number, Shown>;

export interface HashState {
  place: Place | null;
  /** Opacity of each layer that the link names, null where it hides it; null where it says nothing of layers. */
  layers: Map<number, number | null> | null;
}

function rounded(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)));
}

/** Read `#zoom/lat/lon/id:opacity,id,-id` (minus: hidden); what is not understood is left out. */
export function parseHash(hash: string): HashState {
  const place = viewOf(hash);
  const layers = hash.split("/")[3];
  if (layers === undefined) return { place, layers: null };
  const shown = new Map<number, number | null>();
  for (const part of layers.split(",")) {
    const [id, opacity = "1"] = part.split(":");
    const share = Number(opacity);
    if (!id || !/^-?\d+$/.test(id)) continue;
    if (id.startsWith("-")) shown.set(Number(id.slice(1)), null);
    else shown.set(Number(id), share >= 0 && share <= 1 ? share : 1);
  }
  return { place, layers: shown };
}

/** Write the state as a hash. Ids keep the map's order, so the same state gives the same link. */
export function formatHash(place: Place, rows: readonly LayerRow[], look: Look): string {
  const digits = Math.min(7, Math.max(3, Math.ceil(place.zoom / 3)));
  const layers = rows.map((row) => {
    const { visible, opacity } = look.get(row.id) ?? row;
    if (!visible) return `-${row.id}`;
    return opacity === 1 ? `${row.id}` : `${row.id}:${rounded(opacity, 2)}`;
  });
  return `#${rounded(place.zoom, 2)}/${rounded(place.lat, digits)}/${rounded(onEarth(place.lon), digits)}/${layers.join(",")}`;
}

/** How the layers are shown at first: as the link says, else (a layer that is newer than the link) as the map was saved. */
export function firstLook(rows: readonly LayerRow[], hash: HashState): Look {
  return new Map(
    rows.map((row) => {
      const linked = hash.layers?.get(row.id);
      const saved = savedLook(row);
      return [row.id, linked === undefined ? saved : { ...saved, visible: linked !== null, opacity: linked ?? row.opacity }];
    }),
  );
}

/** Keep what the reader chose when the map comes anew; layers that are new to them come as saved. */
export function nextLook(rows: readonly LayerRow[], look: Look): Look {
  return new Map(rows.map((row) => [row.id, look.get(row.id) ?? savedLook(row)]));
}

/** Whether two values of JSON are equal; the order of keys says nothing (the database has its own). */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null || Array.isArray(a) !== Array.isArray(b)) return false;
  const [left, right] = [a, b] as [Record<string, unknown>, Record<string, unknown>];
  const keys = Object.keys(left);
  return keys.length === Object.keys(right).length && keys.every((key) => key in right && sameJson(left[key], right[key]));
}

/** Whether two looks show the same. */
export function sameLook(a: Shown, b: Shown): boolean {
  return a.visible === b.visible && a.opacity === b.opacity && sameJson(a.filter, b.filter);
}

/** Whether the reader's look differs from what is saved. */
export function lookChanged(rows: readonly LayerRow[], look: Look): boolean {
  return rows.some((row) => {
    const shown = look.get(row.id);
    return shown !== undefined && !sameLook(shown, savedLook(row));
  });
}

/** Where the map was saved to open; null where nobody did. */
export function savedPlace(map: MapJson): Place | null {
  const { lat, lon, zoom } = map.view;
  return lat === undefined || lon === undefined || zoom === undefined ? null : { lat, lon, zoom };
}

/** The box around all layers' boxes; null where none has one. */
export function boundsOf(rows: readonly LayerRow[]): Bounds | null {
  const boxes = rows.map((row) => sourceOf(row).bounds).filter((box): box is Bounds => box !== null);
  if (boxes.length === 0) return null;
  return [
    Math.min(...boxes.map((box) => box[0])),
    Math.min(...boxes.map((box) => box[1])),
    Math.max(...boxes.map((box) => box[2])),
    Math.max(...boxes.map((box) => box[3])),
  ];
}

/** Move one item; a new list. */
export function moved<T>(items: readonly T[], from: number, to: number): T[] {
  const list = [...items];
  const [item] = list.splice(from, 1);
  if (item !== undefined) list.splice(Math.min(Math.max(to, 0), list.length), 0, item);
  return list;
}

/** Take the fresh map, but keep the numbers of feature layers: only the socket says which tiles they change. */
export function merged(fresh: MapJson, shown: MapJson): MapJson {
  const seqs = new Map(shown.layers.flatMap((row) => (row.kind === "features" ? [[row.id, row.features.seq] as const] : [])));
  const layers = fresh.layers.map((row) => {
    const seq = seqs.get(row.id);
    return row.kind === "features" && seq !== undefined ? { ...row, features: { ...row.features, seq } } : row;
  });
  return { ...fresh, layers };
}

/** Whether a place is another than the one that was saved. */
export function placeMoved(saved: Place, place: Place): boolean {
  const far = (a: number, b: number): boolean => Math.abs(a - b) > 2e-6;
  return far(saved.lat, place.lat) || far(saved.lon, place.lon) || Math.abs(saved.zoom - place.zoom) > 0.01;
}

/** The filter with one class hidden or shown. */
export function withClass(filter: Filter, value: number, hide: boolean): Filter {
  const { hidden = [], ...rest } = filter;
  const next = [...hidden.filter((other) => other !== value), ...(hide ? [value] : [])].sort((a, b) => a - b);
  return next.length > 0 ? { ...rest, hidden: next } : rest;
}

/** The look without one layer, by the id of its source: a side of a comparison. */
export function hiddenIn(rows: readonly LayerRow[], look: Look, source: string): Look {
  const row = rows.find((item) => sourceOf(item).id === source);
  return row ? new Map(look).set(row.id, { ...(look.get(row.id) ?? savedLook(row)), visible: false }) : look;
}
