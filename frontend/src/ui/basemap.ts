// What lies under a map: pictures of another site (XYZ, TMS, WMS), or imagery of our own.
import { escapeHtml, ImageryTileLayer } from "./imagery-layer";
import type { ImageryInfo } from "./imagery-layer";

interface Named {
  /** How a map names it: "site:<id>" or "imagery:<id>". */
  choice: string;
  name: string;
}

export interface SiteBasemap extends Named {
  kind: "xyz" | "tms" | "wms";
  url: string;
  /** Comma-separated, for {s}. */
  subdomains: string;
  attribution: string;
  attribution_url: string;
  min_zoom: number;
  /** Of its own tiles; beyond it they are drawn larger. */
  max_zoom: number;
  tile_size: number;
  wms?: { layers: string; format: string; version: string };
}

export interface ImageryBasemap extends Named {
  kind: "imagery";
  imagery: ImageryInfo;
}

export type BasemapInfo = SiteBasemap | ImageryBasemap;

const MAX_ZOOM = 26;

/** The basemap of the site's settings that the page's template put into `#basemap`; null where there is none. */
export function siteBasemap(): BasemapInfo | null {
  const text = document.getElementById("basemap")?.textContent;
  return text ? (JSON.parse(text) as BasemapInfo | null) : null;
}

/** Who made it, as plain text. */
export function creditOf(basemap: BasemapInfo): string {
  return basemap.kind === "imagery" ? basemap.imagery.attribution : basemap.attribution;
}

function creditHtml(basemap: SiteBasemap): string {
  const text = escapeHtml(basemap.attribution);
  if (!/^https?:\/\//.test(basemap.attribution_url)) return text;
  const link = document.createElement("a");
  link.href = basemap.attribution_url;
  link.rel = "noopener";
  link.textContent = basemap.attribution;
  return link.outerHTML;
}

/**
 * The basemap as a layer below all others. `copied`: its pictures will be drawn on a canvas, so only those are loaded
 * whose server lets other sites read them.
 */
export function basemapLayer(basemap: BasemapInfo, copied = false): L.TileLayer {
  if (basemap.kind === "imagery") return new ImageryTileLayer(basemap.imagery, { zIndex: 0 });
  const large = basemap.tile_size === 512 ? 1 : 0;
  const options: L.TileLayerOptions = {
    attribution: creditHtml(basemap),
    minZoom: basemap.min_zoom + large,
    maxNativeZoom: basemap.max_zoom + large,
    maxZoom: MAX_ZOOM,
    tileSize: basemap.tile_size,
    zIndex: 0,
    // Providers ask to be told which site their tiles are shown on; the page's path stays with us.
    referrerPolicy: "strict-origin-when-cross-origin",
    ...(copied ? { crossOrigin: "anonymous" } : {}),
  };
  const subdomains = basemap.subdomains.split(",");
  if (basemap.wms) return L.tileLayer.wms(basemap.url, { ...options, subdomains, ...basemap.wms, transparent: basemap.wms.format === "image/png" });
  return L.tileLayer(basemap.url, { ...options, tms: basemap.kind === "tms", zoomOffset: -large, subdomains });
}
