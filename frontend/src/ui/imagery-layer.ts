// Imagery and class rasters on the map; a new version replaces tile after tile without a blank moment.
import type { Bounds } from "./vector-tile";

/** What a tile layer needs of the imagery JSON. */
export interface ImageryInfo {
  id: string;
  /** URL template with {z}, {x}, {y}; holds the version. */
  tiles: string;
  version: number;
  bounds: Bounds | null;
  min_zoom: number;
  max_zoom: number;
  attribution: string;
  /** Rendering words behind the tiles' address, as a query; without them the layer's own look. */
  look?: string | undefined;
}

function addressOf({ tiles, look }: ImageryInfo): string {
  return look ? `${tiles}${tiles.includes("?") ? "&" : "?"}${look.replaceAll("{", "%7B").replaceAll("}", "%7D")}` : tiles;
}

/** Return Leaflet's bounds of [w, s, e, n]. */
export function toLatLngBounds([west, south, east, north]: Bounds): L.LatLngBounds {
  return L.latLngBounds([south, west], [north, east]);
}

export function escapeHtml(text: string): string {
  const holder = document.createElement("span");
  holder.textContent = text;
  return holder.innerHTML;
}

const MAX_ZOOM = 26;
const MOST_TRIES = 3;

/** Imagery as Leaflet layer. */
export class ImageryTileLayer extends L.TileLayer {
  private readonly images = new Map<HTMLImageElement, L.Coords>();
  private version: number;
  private look: string;

  constructor(info: ImageryInfo, options: L.TileLayerOptions = {}) {
    // On a dense screen the next zoom's tiles are drawn at half size: one CSS pixel is then 2 x 2 pixels of imagery.
    const dense = L.Browser.retina ? 1 : 0;
    super(addressOf(info), {
      // No minNativeZoom: far out Leaflet would walk each of the millions of tiles of that zoom in the window, and
      // the server draws one tile of any zoom from an overview.
      maxNativeZoom: Math.max(0, info.max_zoom - dense),
      maxZoom: MAX_ZOOM,
      detectRetina: true,
      updateWhenIdle: false,
      updateWhenZooming: false,
      keepBuffer: 1,
      attribution: escapeHtml(info.attribution),
      ...(info.bounds ? { bounds: toLatLngBounds(info.bounds) } : {}),
      ...options,
    });
    this.version = info.version;
    this.look = info.look ?? "";
    this.on("tileunload", (event: L.TileEvent) => this.images.delete(event.tile as HTMLImageElement));
  }

  /** Show another version or look: each tile keeps its old picture until the new one is there. */
  refresh(info: ImageryInfo): void {
    if (info.version === this.version && (info.look ?? "") === this.look) return;
    this.version = info.version;
    this.look = info.look ?? "";
    if (info.bounds) this.options.bounds = toLatLngBounds(info.bounds);
    this.options.maxNativeZoom = Math.max(0, info.max_zoom - (L.Browser.retina ? 1 : 0));
    this.setUrl(addressOf(info), true);
    for (const [image, coords] of this.images) {
      const url = this.urlAt(coords);
      const next = new Image();
      next.onload = () => {
        if (this.images.has(image) && url === this.urlAt(coords)) image.src = url;
      };
      next.src = url;
    }
  }

  protected override createTile(coords: L.Coords, done: L.DoneCallback): HTMLElement {
    const image = document.createElement("img");
    image.alt = "";
    this.images.set(image, coords);
    let tries = 0;
    image.onload = () => {
      image.onload = image.onerror = null;
      done(undefined, image);
    };
    image.onerror = () => {
      tries += 1;
      if (tries >= MOST_TRIES || !this.images.has(image)) {
        image.onload = image.onerror = null;
        done(new Error("no tile"), image);
        return;
      }
      setTimeout(() => {
        if (this.images.has(image)) image.src = this.urlAt(coords);
      }, 700 * tries * (0.5 + Math.random()));
    };
    image.src = this.urlAt(coords);
    return image;
  }

  // TileLayer.getTileUrl takes its zoom from the layer's state, which has moved on for a tile of an older zoom.
  private urlAt(coords: L.Coords): string {
    const z = coords.z + (this.options.zoomOffset ?? 0);
    const template = (this as unknown as { _url: string })._url;
    return L.Util.template(template, { x: coords.x, y: coords.y, z });
  }
}
