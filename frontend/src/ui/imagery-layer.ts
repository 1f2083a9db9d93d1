// Imagery and class rasters on the map; a new version replaces tile after tile without a blank moment.
import { asApiError, get } from "./api";
import { toast } from "./feedback";
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

/** What Leaflet keeps of one zoom's tiles; not in its types. */
interface Level {
  readonly el: HTMLElement;
  readonly origin: L.Point;
  readonly zoom: number;
}

/** Leaflet's own members that moving a picture needs (1.9, which the site pins). */
interface Inner {
  _map: (L.Map & { _getNewPixelOrigin: (centre: L.LatLng, zoom: number) => L.Point }) | null;
  _tileZoom: number | undefined;
  _resetView: () => void;
}

/** Pixels of the world at zoom 0, and its width in Web Mercator metres. */
const TILE_PX = 256;
const WORLD_M = 2 * Math.PI * 6_378_137;

const MAX_ZOOM = 26;
const MOST_TRIES = 3;
/** How long a layer that cannot be drawn says so only once. */
const TELL_AGAIN_MS = 60_000;

/** Imagery as Leaflet layer. */
export class ImageryTileLayer extends L.TileLayer {
  private readonly images = new Map<HTMLImageElement, L.Coords>();
  private version: number;
  private look: string;
  private toldAt = -TELL_AGAIN_MS;
  /** Web Mercator metres to the east and to the north by which it is drawn beside its place. */
  private shift: readonly [x: number, y: number] = [0, 0];

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

  /** Draw it beside its place: moved by Web Mercator metres to the east and to the north. */
  setShift(shift: readonly [x: number, y: number]): void {
    if (shift[0] === this.shift[0] && shift[1] === this.shift[1]) return;
    this.shift = shift;
    const inner = this as unknown as Inner;
    if (inner._map) inner._resetView();
  }

  private shiftPx(zoom: number): L.Point {
    const scale = (TILE_PX * 2 ** zoom) / WORLD_M;
    return L.point(this.shift[0] * scale, -this.shift[1] * scale);
  }

  // Overrides GridLayer's, with the shift added: also while a zoom is animated.
  protected _setZoomTransform(level: Level, centre: L.LatLng, zoom: number): void {
    const map = (this as unknown as Inner)._map;
    if (!map) return;
    const scale = map.getZoomScale(zoom, level.zoom);
    const corner = level.origin.multiplyBy(scale).subtract(map._getNewPixelOrigin(centre, zoom));
    L.DomUtil.setTransform(level.el, corner.add(this.shiftPx(zoom)).round(), scale);
  }

  // Which tiles are needed: those that are drawn in view, not those whose place is.
  protected _getTiledPixelBounds(centre: L.LatLng): L.Bounds {
    const grid = L.GridLayer.prototype as unknown as { _getTiledPixelBounds: (centre: L.LatLng) => { min: L.Point; max: L.Point } };
    const { min, max } = grid._getTiledPixelBounds.call(this, centre);
    const moved = this.shiftPx((this as unknown as Inner)._tileZoom ?? 0);
    return L.bounds(min.subtract(moved), max.subtract(moved));
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
        if (tries >= MOST_TRIES) void this.explain(image.src);
        return;
      }
      setTimeout(() => {
        if (this.images.has(image)) image.src = this.urlAt(coords);
      }, 700 * tries * (0.5 + Math.random()));
    };
    image.src = this.urlAt(coords);
    return image;
  }

  // A picture that fails says nothing; asked again as data, the server tells why. Only of files on other servers: what
  // fails here is told by the rest of the page.
  private async explain(url: string): Promise<void> {
    const now = performance.now();
    if (now - this.toldAt < TELL_AGAIN_MS) return;
    this.toldAt = now;
    try {
      await get(url);
    } catch (failure) {
      const told = asApiError(failure);
      if (told.code.startsWith("source_") || told.code === "host_not_allowed") toast(`${told.message} ${told.fix}`, "bad");
    }
  }

  // TileLayer.getTileUrl takes its zoom from the layer's state, which has moved on for a tile of an older zoom.
  private urlAt(coords: L.Coords): string {
    const z = coords.z + (this.options.zoomOffset ?? 0);
    const template = (this as unknown as { _url: string })._url;
    return L.Util.template(template, { x: coords.x, y: coords.y, z });
  }
}
