// Feature layers on the map: vector tiles decoded in one worker and drawn in another. Decoded tiles are kept, so a new
// style, a ring or a deeper zoom asks the server for nothing.
import { escapeHtml } from "./imagery-layer";
import { TileDrawer } from "./tile-drawer";
import { frameOf, keyOf, placeOf } from "./tile-keys";
import { loadInWorker } from "./tile-loader";
import type { Load, TileLoader } from "./tile-loader";
import type { TilePainter } from "./tile-painter";
import { TileRings } from "./tile-rings";
import { propertiesOf } from "./vector-columns";
import type { Properties } from "./vector-columns";
import { colourOf, drawingOf, tonesOf } from "./vector-paint";
import type { Drawing, Tones, VectorStyle } from "./vector-paint";
import { featuresAt, tileTouches } from "./vector-tile";
import type { Bounds, DecodedTile } from "./vector-tile";

export interface VectorInfo {
  id: string;
  /** URL template with {seq}, {z}, {x}, {y}. */
  tiles: string;
  seq: number;
  bounds?: Bounds | null | undefined;
  attribution?: string | undefined;
}

export interface Hit {
  classValue: number | null;
  properties: Properties;
}

export interface VectorTileOptions extends L.GridLayerOptions {
  /** Deepest zoom that is asked for; deeper ones draw the same tile larger. */
  maxDataZoom?: number;
  loader?: TileLoader;
  /** What draws off the page's thread; null where nothing does. */
  painter?: () => TilePainter | null;
}

interface Entry {
  seq: number;
  tile: DecodedTile | null;
  /** Its colours as last drawn, and the style that gave them. */
  toned: { by: VectorStyle; tones: Tones } | null;
  stale: boolean;
}

const KEPT_TILES = 384;
const MOST_TRIES = 4;
const TILE_PX = 256;

/** A feature layer as Leaflet layer. */
export class VectorTileLayer extends L.GridLayer {
  private readonly entries = new Map<string, Entry>();
  private readonly pending = new Map<string, Load>();
  private readonly shown = new Map<HTMLCanvasElement, { coords: L.Coords; done: (() => void) | null }>();
  private readonly timers = new Set<ReturnType<typeof setTimeout>>();
  /** What the tiles' address says of fields. */
  private fields = "";
  private readonly rings = new TileRings();
  private readonly drawer: TileDrawer;
  /** Geometry types seen so far: 1 points, 2 lines, 3 polygons. */
  readonly types = new Set<number>();
  private readonly load: TileLoader;
  private readonly maxDataZoom: number;

  constructor(
    private info: VectorInfo,
    private look: VectorStyle,
    options: VectorTileOptions = {},
  ) {
    super({ updateWhenZooming: false, keepBuffer: 1, attribution: escapeHtml(info.attribution ?? ""), ...options });
    this.load = options.loader ?? loadInWorker;
    this.maxDataZoom = options.maxDataZoom ?? 20;
    this.drawer = new TileDrawer({ drawingOf: (canvas) => this.drawingOf(canvas), onDrawn: (canvas) => this.drawn(canvas) }, options.painter);
    this.on("tileunload", (event: L.TileEvent) => this.drop(event.tile as unknown as HTMLCanvasElement));
  }

  /** Stop all loads when the layer leaves the map. */
  override onRemove(map: L.Map): this {
    for (const load of this.pending.values()) load.abort();
    this.pending.clear();
    this.timers.forEach(clearTimeout);
    this.timers.clear();
    this.drawer.stop();
    super.onRemove(map);
    this.shown.clear();
    return this;
  }

  /** Draw with another style; nothing is fetched. */
  setStyle(style: VectorStyle): this {
    this.look = style;
    // A tile that is on its way anyway keeps its picture until it is there: it may bring what the style asks for.
    this.draw((key) => !this.pending.has(key));
    return this;
  }

  /** Whether a tile is on its way, or not drawn yet as it shall be. */
  override isLoading(): boolean {
    return super.isLoading() || this.pending.size > 0 || this.drawer.busy;
  }

  /** Show a newer state. Only tiles that touch `changed` are asked for again (null: all); old ones stay until then. */
  refresh(info: VectorInfo, changed: Bounds | null = null): void {
    const newer = info.seq !== this.info.seq;
    this.info = info;
    if (!newer) return;
    this.renew((key) => {
      const [z, x, y] = placeOf(key);
      return changed === null || tileTouches(z, x, y, changed);
    });
  }

  /** Have tiles with the values of these fields, as `field:<name>`; old ones stay until then. */
  setFields(fields: readonly string[]): void {
    const asked = [...fields].sort().map((field) => `&field=${encodeURIComponent(field)}`).join("");
    if (asked === this.fields) return;
    this.fields = asked;
    this.renew(() => true);
  }

  private renew(touched: (key: string) => boolean): void {
    for (const [key, entry] of this.entries) if (touched(key)) entry.stale = true;
    for (const [key, load] of this.pending) {
      if (!touched(key)) continue;
      load.abort();
      this.pending.delete(key);
    }
    const wanted = this.keys();
    for (const key of wanted) this.want(key);
    for (const [key, entry] of this.entries) if (entry.stale && !wanted.has(key)) this.entries.delete(key);
  }

  /** Ring one feature by its id (null: none). */
  highlight(id: string | null): void {
    if (this.rings.point(id)) this.ringAll();
  }

  /** Ring features for as long as they are chosen. */
  select(ids: ReadonlySet<string>): void {
    this.rings.choose(ids);
    this.ringAll();
  }

  /** Hand every tile on the map, with its address and the style, to something that looks at what is drawn. */
  eachShown(look: (tile: DecodedTile, z: number, x: number, y: number, style: VectorStyle) => void): void {
    const keys = new Set([...this.shown.values()].filter(({ coords }) => coords.z === this._tileZoom).map(({ coords }) => this.dataKey(coords)));
    for (const key of keys) {
      const tile = this.entries.get(key)?.tile;
      const [z, x, y] = placeOf(key);
      if (tile) look(tile, z, x, y, this.look);
    }
  }

  /** Return the features at a place, topmost first; `tolerance` in CSS pixels. */
  hitsAt(place: L.LatLng, tolerance = 3): Hit[] {
    const zoom = this._map ? Math.round(this._map.getZoom()) : this.maxDataZoom;
    const z = Math.min(zoom, this.maxDataZoom);
    const n = 2 ** z;
    const world = L.CRS.EPSG3857.latLngToPoint(place, z).divideBy(TILE_PX);
    const [x, y] = [Math.floor(world.x), Math.floor(world.y)];
    const tile = this.entries.get(`${z}/${((x % n) + n) % n}/${y}`)?.tile;
    if (!tile) return [];
    const units = (tile.extent / TILE_PX) * 2 ** (z - zoom);
    return featuresAt(tile, (world.x - x) * tile.extent, (world.y - y) * tile.extent, tolerance * units)
      .map((feature) => ({
        classValue: tile.classes[feature] === -1 ? null : (tile.classes[feature] ?? null),
        properties: propertiesOf(tile.columns, feature),
      }))
      .filter((hit) => colourOf(this.look, hit.classValue ?? -1, hit.properties) !== null);
  }

  protected override createTile(coords: L.Coords, done: L.DoneCallback): HTMLElement {
    const canvas = document.createElement("canvas");
    const { x, y } = this.getTileSize();
    const ratio = window.devicePixelRatio || 1;
    canvas.className = "leaflet-tile leaflet-canvas-tile";
    canvas.width = Math.round(x * ratio);
    canvas.height = Math.round(y * ratio);
    this.shown.set(canvas, { coords, done: () => done(undefined, canvas) });
    const key = this.dataKey(coords);
    const entry = this.entries.get(key);
    // Leaflet wants `done` after createTile has returned.
    if (entry && !entry.stale) queueMicrotask(() => this.arrived(key));
    else this.want(key);
    return canvas;
  }

  private drop(canvas: HTMLCanvasElement): void {
    const gone = this.shown.get(canvas);
    this.shown.delete(canvas);
    this.drawer.drop(canvas);
    this.rings.drop(canvas);
    if (!gone) return;
    const key = this.dataKey(gone.coords);
    if (this.keys().has(key)) return;
    this.pending.get(key)?.abort();
    this.pending.delete(key);
  }

  /** Keys of the tiles that the map wants. */
  private keys(): Set<string> {
    return new Set([...this.shown.values()].map(({ coords }) => this.dataKey(coords)));
  }

  private dataKey(coords: L.Coords): string {
    return keyOf(coords, this.maxDataZoom);
  }

  private urlOf(key: string): string {
    const [z, x, y] = placeOf(key);
    // 0: the address stays the same whatever is edited, and the browser asks whether its tile still holds (304).
    return L.Util.template(this.info.tiles, { seq: 0, z, x, y }) + this.fields;
  }

  private want(key: string, tries = 0): void {
    const entry = this.entries.get(key);
    if (this.pending.has(key) || (entry && !entry.stale)) return;
    const seq = this.info.seq;
    const load = this.load(this.urlOf(key), {
      onTile: (tile) => {
        this.pending.delete(key);
        this.entries.delete(key);
        this.entries.set(key, { seq, tile, toned: null, stale: false });
        this.meet(tile);
        this.forget();
        this.arrived(key);
      },
      onFail: (status) => this.failed(key, status, tries),
    });
    this.pending.set(key, load);
  }

  private failed(key: string, status: number, tries: number): void {
    this.pending.delete(key);
    const transient = status === 0 || status === 429 || status >= 500;
    if (!transient || tries + 1 >= MOST_TRIES) {
      this.arrived(key);
      return;
    }
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      if (this.keys().has(key)) this.want(key, tries + 1);
    }, 500 * 2 ** tries * (0.5 + Math.random()));
    this.timers.add(timer);
  }

  private forget(): void {
    if (this.entries.size <= KEPT_TILES) return;
    const wanted = this.keys();
    for (const key of this.entries.keys()) {
      if (this.entries.size <= KEPT_TILES) return;
      if (!wanted.has(key)) this.entries.delete(key);
    }
  }

  private arrived(key: string): void {
    this.draw((other) => other === key);
  }

  private draw(fits: (key: string) => boolean): void {
    this.drawer.draw([...this.shown].filter(([, { coords }]) => fits(this.dataKey(coords))).map(([canvas]) => canvas));
  }

  private drawn(canvas: HTMLCanvasElement): void {
    const shown = this.shown.get(canvas);
    if (!shown) return;
    shown.done?.();
    shown.done = null;
    this.ring(canvas, shown.coords);
    this.fire("drawn");
  }

  private meet(tile: DecodedTile | null): void {
    const before = this.types.size;
    for (const type of new Set(tile?.types)) this.types.add(type);
    if (this.types.size !== before) this.fire("types");
  }

  private ringAll(): void {
    for (const [canvas, { coords, done }] of this.shown) if (!done) this.ring(canvas, coords);
  }

  private ring(canvas: HTMLCanvasElement, coords: L.Coords): void {
    this.rings.show(canvas, this.entries.get(this.dataKey(coords))?.tile ?? null, (tile) => frameOf(canvas, coords, this.maxDataZoom, tile));
  }

  private drawingOf(canvas: HTMLCanvasElement): Drawing | null {
    const coords = this.shown.get(canvas)?.coords;
    if (!coords) return null;
    const entry = this.entries.get(this.dataKey(coords));
    if (!entry?.tile) return null;
    if (entry.toned?.by !== this.look) entry.toned = { by: this.look, tones: tonesOf(entry.tile, this.look) };
    const { tones } = entry.toned;
    return tones.palette.length === 0 ? null : drawingOf(entry.tile, tones, this.look, frameOf(canvas, coords, this.maxDataZoom, entry.tile));
  }
}
