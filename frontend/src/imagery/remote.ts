// What lies at an address of another server, and what is to become of it. Pure.

/** Why something cannot be done as it is. */
export interface Problem {
  code: string;
  message: string;
  fix: string;
}

/** A raster at an address, as the server tells it. */
export interface RemoteRaster {
  kind: "raster";
  url: string;
  name: string;
  size_bytes: number;
  /** The server marks states of its files, so that any change is noticed. */
  certain: boolean;
  fetched_bytes: number;
  height: number | null;
  width: number | null;
  dtype: string;
  compression: string;
  overviews: number;
  bands: string[];
  epsg: number | null;
  gsd_m: number | null;
  nodata: number | null;
  /** A small picture as a data URL. */
  picture: string | null;
  notes: string[] | null;
  /** Why it can be copied only. */
  problem: Problem | null;
}

export interface ItemAsset {
  key: string;
  /** To ask for it; may hold a signature. */
  href: string;
  /** To be shown. */
  url: string;
  title: string;
  roles: string[];
  bands: string[];
  problem: Problem | null;
}

/** A STAC item at an address. */
export interface RemoteItem {
  kind: "item";
  id: string;
  title: string;
  datetime: string;
  attribution: string;
  description: string;
  assets: ItemAsset[];
}

export type Found = RemoteRaster | RemoteItem;
export type Mode = "link" | "copy";
export type RemotePhase = "looking" | "unseen" | "new" | "adding" | "copying" | "done";

/** One raster that may be added. */
export interface Candidate {
  key: string;
  /** As it was typed or as the item says it: it may hold a signature. */
  url: string;
  /** Address of the item that names it, or "". */
  item: string;
  name: string;
  attribution: string;
  /** Day it was taken, YYYY-MM-DD, or a whole time, or "". */
  taken: string;
  description: string;
  bands: string[];
  raster: RemoteRaster | null;
  mode: Mode;
  phase: RemotePhase;
  error: unknown;
  job: string | null;
  open: string | null;
}

const stem = (name: string): string => name.replace(/\.(tiff?|TIFF?)$/, "");

const FRESH = { attribution: "", taken: "", description: "", bands: [], raster: null, mode: "link", error: null, job: null, open: null } as const;

/** A raster that was looked at, ready to be added. */
export function candidateOf(raster: RemoteRaster, url: string): Candidate {
  return seen({ ...FRESH, bands: [], key: url, url, item: "", name: stem(raster.name), phase: "new" }, raster);
}

/** The candidate after a look at it: what can only be copied, is. */
export function seen(candidate: Candidate, raster: RemoteRaster): Candidate {
  return { ...candidate, raster, mode: raster.problem ? "copy" : candidate.mode, phase: "new", error: null };
}

/** An item's rasters, none looked at yet; names tell them apart where there are several. */
export function candidatesOf(item: RemoteItem, url: string): Candidate[] {
  const rasters = item.assets.filter((asset) => asset.problem === null);
  return rasters.map((asset) => ({
    ...FRESH,
    key: asset.key,
    url: asset.href,
    item: url,
    name: (rasters.length === 1 ? item.title : `${item.title} · ${asset.title || asset.key}`).slice(0, 200),
    attribution: item.attribution,
    taken: item.datetime,
    description: item.description,
    bands: asset.bands,
    phase: "unseen",
  }));
}

/** Which of an item's rasters to choose first: the only one, or the one made to be looked at. */
export function firstChoice(item: RemoteItem): string[] {
  const able = item.assets.filter((asset) => asset.problem === null);
  const shown = able.find((asset) => asset.key === "visual" || asset.roles.includes("visual")) ?? (able.length === 1 ? able[0] : undefined);
  return shown ? [shown.key] : [];
}

/** What the server is asked to do with a candidate. */
export function requestOf(candidate: Candidate, project: string): Record<string, unknown> {
  const options: Record<string, string> = { name: candidate.name.trim() };
  for (const [key, value] of [["attribution", candidate.attribution], ["acquired_at", candidate.taken], ["description", candidate.description]] as const) {
    if (value.trim() !== "") options[key] = value.trim();
  }
  return {
    project,
    url: candidate.url,
    mode: candidate.mode,
    options,
    ...(candidate.bands.length > 0 && candidate.mode === "link" ? { bands: candidate.bands } : {}),
    ...(candidate.item && candidate.mode === "link" ? { item: candidate.item } : {}),
  };
}

/** What a candidate's card says of its raster, as term and text. */
export function factsOf(raster: RemoteRaster, words: { number: (value: number) => string; bytes: (value: number) => string }): [string, string][] {
  const rows: [string, string][] = [];
  if (raster.width !== null && raster.height !== null) rows.push(["Size", `${words.number(raster.width)} × ${words.number(raster.height)} pixels`]);
  if (raster.gsd_m !== null) rows.push(["Pixel", raster.gsd_m >= 1 ? `${words.number(raster.gsd_m)} m` : `${words.number(raster.gsd_m * 100)} cm`]);
  if (raster.problem === null) rows.push(["CRS", raster.epsg === null ? "custom" : `EPSG:${raster.epsg}`]);
  if (raster.dtype) rows.push(["Type", raster.bands.length > 0 ? `${raster.dtype}, ${raster.bands.join(", ")}` : raster.dtype]);
  if (raster.compression) rows.push(["Stored", `${raster.compression}, ${raster.overviews || "no"} ${raster.overviews === 1 ? "overview" : "overviews"}`]);
  if (raster.size_bytes > 0) rows.push(["File", `${words.bytes(raster.size_bytes)}, of which ${words.bytes(raster.fetched_bytes)} were read for this look`]);
  return rows;
}
