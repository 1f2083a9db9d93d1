// Imagery and class rasters on the map; a new version replaces tile after tile without a blank moment.
import type { Bounds } from "./vector-layer";

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
}

/** Return Leaflet's bounds of [w, s, e, n]. */
export function toLatLngBounds([west, south, east, north]: Bounds): L.LatLngBounds {
  return L.latLngBounds([south, west], [north, east]);
}

function escapeHtml(text: string): string {
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

  constructor(info: ImageryInfo, options: L.TileLayerOptions = {}) {
    // On a dense screen the next zoom's tiles are drawn at half size: one CSS pixel is then 2 x 2 pixels of imagery.
    const dense = L.Browser.retina ? 1 : 0;
    super(info.tiles, {
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
    this.on("tileunload", (event: L.TileEvent) => this.images.delete(event.tile as HTMLImageElement));
  }

  /** Show another version: each tile keeps its old picture until the new one is there. */
  refresh(info: ImageryInfo): void {
    if (info.version === this.version) return;
    this.version = info.version;
    if (info.bounds) this.options.bounds = toLatLngBounds(info.bounds);
    this.options.maxNativeZoom = Math.max(0, info.max_zoom - (L.Browser.retina ? 1 : 0));
    this.setUrl(info.tiles, true);
    for (const [image, coords] of this.images) {
      const url = this.urlAt(coords);
      const next = new Image();
      next.onload = () => {
        if (this.images.has(image) && url === this.urlAt(coords)) image.src = url;
      };
      next.src = url;
    }
  }

  /** Return the pixel drawn at a place as red, green, blue; null where none is loaded or it is transparent. */
  colourAt(place: L.LatLng): [number, number, number] | null {
    if (!this._map) return null;
    const world = this._map.project(place, this._map.getZoom());
    for (const [image, coords] of this.images) {
      const box = this.tileBox(coords);
      if (!image.complete || image.naturalWidth === 0 || !box.contains(world)) continue;
      const size = box.getSize();
      const from = world.subtract(box.getTopLeft());
      const canvas = document.createElement("canvas");
      canvas.width = canvas.height = 1;
      const pen = canvas.getContext("2d");
      const column = Math.floor((from.x / size.x) * image.naturalWidth);
      const row = Math.floor((from.y / size.y) * image.naturalHeight);
      pen?.drawImage(image, column, row, 1, 1, 0, 0, 1, 1);
      const [red = 0, green = 0, blue = 0, alpha = 0] = pen?.getImageData(0, 0, 1, 1).data ?? [];
      if (alpha > 0) return [red, green, blue];
    }
    return null;
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

  // The tile's box in pixels of the map's zoom now: while it loads, tiles of an older zoom are still shown.
  private tileBox(coords: L.Coords): L.Bounds {
    const scale = this._map.getZoomScale(this._map.getZoom(), coords.z);
    const size = this.getTileSize().multiplyBy(1);
    const top = L.point(coords.x, coords.y).scaleBy(size);
    return L.bounds(top.multiplyBy(scale), top.add(size).multiplyBy(scale));
  }

  // TileLayer.getTileUrl takes its zoom from the layer's state, which has moved on for a tile of an older zoom.
  private urlAt(coords: L.Coords): string {
    const z = coords.z + (this.options.zoomOffset ?? 0);
    const template = (this as unknown as { _url: string })._url;
    return L.Util.template(template, { x: coords.x, y: coords.y, z });
  }
}
