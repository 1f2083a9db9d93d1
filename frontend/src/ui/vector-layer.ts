// Feature layers on the map: vector tiles decoded in a worker, drawn on canvases. Decoded tiles are kept, so a new
// style, a highlight or a deeper zoom asks the server for nothing.
import { loadInWorker } from "./tile-loader";
import type { Load, TileLoader } from "./tile-loader";
import { featuresAt } from "./vector-tile";
import type { DecodedTile, Properties } from "./vector-tile";

/** west, south, east, north in degrees. */
export type Bounds = readonly [number, number, number, number];

export interface VectorInfo {
  id: string;
  /** URL template with {seq}, {z}, {x}, {y}. */
  tiles: string;
  seq: number;
  bounds?: Bounds | null | undefined;
  attribution?: string | undefined;
}

export interface VectorStyle {
  /** Colour (#rrggbb) of each class value; -1 is "no class". */
  colours: ReadonlyMap<number, string>;
  /** Colour of a class that is not in the map. */
  otherColour?: string | undefined;
  fillOpacity?: number | undefined;
  /** Width of outlines in CSS pixels. */
  lineWidth?: number | undefined;
  /** Class values that are not drawn and not hit. */
  hidden?: ReadonlySet<number> | undefined;
}

export interface Hit {
  classValue: number | null;
  properties: Properties;
}

export interface VectorTileOptions extends L.GridLayerOptions {
  /** Deepest zoom that is asked for; deeper ones draw the same tile larger. */
  maxDataZoom?: number;
  loader?: TileLoader;
}

interface Entry {
  seq: number;
  tile: DecodedTile | null;
  /** Outlines of each class in tile units. */
  paths: Map<number, Path2D> | null;
  stale: boolean;
}

interface Pending {
  load: Load;
  seq: number;
  tries: number;
}

const KEPT_TILES = 384;
const MOST_TRIES = 4;
const POINT_RADIUS = 5;
const OTHER_COLOUR = "#8a9591";
const TILE_PX = 256;

/** Return whether a tile touches bounds, with a margin for its buffer. */
export function tileTouches(z: number, x: number, y: number, bounds: Bounds): boolean {
  const n = 2 ** z;
  const lon = (column: number): number => (column / n) * 360 - 180;
  const lat = (row: number): number => (Math.atan(Math.sinh(Math.PI * (1 - (2 * row) / n))) * 180) / Math.PI;
  const [west, south, east, north] = bounds;
  return lon(x + 1.07) >= west && lon(x - 0.07) <= east && lat(y - 0.07) >= south && lat(y + 1.07) <= north;
}

function pathOf(tile: DecodedTile, path: Path2D, feature: number): void {
  const { ringStart, pointStart, points, types } = tile;
  for (let ring = ringStart[feature] ?? 0; ring < (ringStart[feature + 1] ?? 0); ring++) {
    const from = pointStart[ring] ?? 0;
    const to = pointStart[ring + 1] ?? 0;
    path.moveTo(points[2 * from] ?? 0, points[2 * from + 1] ?? 0);
    for (let i = from + 1; i < to; i++) path.lineTo(points[2 * i] ?? 0, points[2 * i + 1] ?? 0);
    if (types[feature] === 3) path.closePath();
  }
}

function pathsOf(tile: DecodedTile): Map<number, Path2D> {
  const paths = new Map<number, Path2D>();
  for (let feature = 0; feature < tile.count; feature++) {
    if (tile.types[feature] === 1) continue;
    const value = tile.classes[feature] ?? -1;
    let path = paths.get(value);
    if (!path) {
      path = new Path2D();
      paths.set(value, path);
    }
    pathOf(tile, path, feature);
  }
  return paths;
}

/** A feature layer as Leaflet layer. */
export class VectorTileLayer extends L.GridLayer {
  private readonly entries = new Map<string, Entry>();
  private readonly pending = new Map<string, Pending>();
  private readonly shown = new Map<HTMLCanvasElement, { coords: L.Coords; done: (() => void) | null }>();
  private readonly timers = new Set<ReturnType<typeof setTimeout>>();
  private highlighted: string | null = null;
  private readonly load: TileLoader;
  private readonly maxDataZoom: number;

  constructor(
    private info: VectorInfo,
    private look: VectorStyle,
    options: VectorTileOptions = {},
  ) {
    super({ updateWhenZooming: false, keepBuffer: 1, attribution: info.attribution ?? "", ...options });
    this.load = options.loader ?? loadInWorker;
    this.maxDataZoom = options.maxDataZoom ?? 20;
    this.on("tileunload", (event: L.TileEvent) => this.drop(event.tile as unknown as HTMLCanvasElement));
  }

  /** Stop all loads when the layer leaves the map. */
  override onRemove(map: L.Map): this {
    for (const { load } of this.pending.values()) load.abort();
    this.pending.clear();
    this.timers.forEach(clearTimeout);
    this.timers.clear();
    super.onRemove(map);
    this.shown.clear();
    return this;
  }

  /** Draw with another style; nothing is fetched. */
  setStyle(style: VectorStyle): this {
    this.look = style;
    this.drawAll();
    return this;
  }

  /** Show a newer state. Only tiles that touch `changed` are asked for again (null: all); old ones stay until then. */
  refresh(info: VectorInfo, changed: Bounds | null = null): void {
    const newer = info.seq !== this.info.seq;
    this.info = info;
    if (!newer) return;
    const touched = (key: string): boolean => {
      const [z, x, y] = key.split("/").map(Number) as [number, number, number];
      return changed === null || tileTouches(z, x, y, changed);
    };
    for (const [key, entry] of this.entries) if (touched(key)) entry.stale = true;
    for (const [key, pending] of this.pending) {
      if (!touched(key)) continue;
      pending.load.abort();
      this.pending.delete(key);
    }
    const wanted = new Set([...this.shown.values()].map(({ coords }) => this.dataKey(coords)));
    for (const key of wanted) this.want(key);
    for (const [key, entry] of this.entries) if (entry.stale && !wanted.has(key)) this.entries.delete(key);
  }

  /** Mark one feature by its id (null: none). */
  highlight(id: string | null): void {
    if (id === this.highlighted) return;
    this.highlighted = id;
    this.drawAll();
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
        properties: tile.properties[feature] ?? {},
      }))
      .filter((hit) => !this.look.hidden?.has(hit.classValue ?? -1));
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
    if (!gone) return;
    const key = this.dataKey(gone.coords);
    const stillWanted = [...this.shown.values()].some(({ coords }) => this.dataKey(coords) === key);
    if (stillWanted) return;
    this.pending.get(key)?.load.abort();
    this.pending.delete(key);
  }

  private dataKey({ x, y, z }: L.Coords): string {
    const up = Math.max(0, z - this.maxDataZoom);
    const n = 2 ** (z - up);
    const column = x >> up;
    return `${z - up}/${((column % n) + n) % n}/${y >> up}`;
  }

  private urlOf(key: string): string {
    const [z = "", x = "", y = ""] = key.split("/");
    return L.Util.template(this.info.tiles, { seq: this.info.seq, z, x, y });
  }

  private want(key: string, tries = 0): void {
    const entry = this.entries.get(key);
    if (this.pending.has(key) || (entry && !entry.stale)) return;
    const seq = this.info.seq;
    const load = this.load(this.urlOf(key), {
      onTile: (tile) => {
        this.pending.delete(key);
        this.entries.delete(key);
        this.entries.set(key, { seq, tile, paths: null, stale: false });
        this.forget();
        this.arrived(key);
      },
      onFail: (status) => this.failed(key, status, tries),
    });
    this.pending.set(key, { load, seq, tries });
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
      const wanted = [...this.shown.values()].some(({ coords }) => this.dataKey(coords) === key);
      if (wanted) this.want(key, tries + 1);
    }, 500 * 2 ** tries * (0.5 + Math.random()));
    this.timers.add(timer);
  }

  private forget(): void {
    if (this.entries.size <= KEPT_TILES) return;
    const wanted = new Set([...this.shown.values()].map(({ coords }) => this.dataKey(coords)));
    for (const key of this.entries.keys()) {
      if (this.entries.size <= KEPT_TILES) return;
      if (!wanted.has(key)) this.entries.delete(key);
    }
  }

  private arrived(key: string): void {
    for (const [canvas, tile] of this.shown) {
      if (this.dataKey(tile.coords) !== key) continue;
      this.draw(canvas, tile.coords);
      tile.done?.();
      tile.done = null;
    }
  }

  private drawAll(): void {
    for (const [canvas, { coords }] of this.shown) this.draw(canvas, coords);
  }

  private colour(value: number): string {
    return this.look.colours.get(value) ?? this.look.otherColour ?? OTHER_COLOUR;
  }

  private draw(canvas: HTMLCanvasElement, coords: L.Coords): void {
    const pen = canvas.getContext("2d");
    if (!pen) return;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, canvas.width, canvas.height);
    const entry = this.entries.get(this.dataKey(coords));
    if (!entry?.tile) return;
    const { tile } = entry;
    entry.paths ??= pathsOf(tile);
    // A canvas deeper than its data shows a part of the tile, enlarged.
    const up = Math.max(0, coords.z - this.maxDataZoom);
    const parts = 2 ** up;
    const scale = (canvas.width * parts) / tile.extent;
    const left = (((coords.x % parts) + parts) % parts) * canvas.width;
    const top = (coords.y % parts) * canvas.height;
    pen.setTransform(scale, 0, 0, scale, -left, -top);
    pen.lineJoin = "round";
    pen.lineWidth = ((this.look.lineWidth ?? 1.5) * (window.devicePixelRatio || 1)) / scale;
    for (const [value, path] of entry.paths) {
      if (this.look.hidden?.has(value)) continue;
      pen.fillStyle = pen.strokeStyle = this.colour(value);
      pen.globalAlpha = this.look.fillOpacity ?? 0.35;
      pen.fill(path);
      pen.globalAlpha = 1;
      pen.stroke(path);
    }
    this.drawPoints(pen, tile, scale);
    this.drawHighlight(pen, tile, scale);
  }

  private drawPoints(pen: CanvasRenderingContext2D, tile: DecodedTile, scale: number): void {
    const radius = (POINT_RADIUS * (window.devicePixelRatio || 1)) / scale;
    for (let feature = 0; feature < tile.count; feature++) {
      const value = tile.classes[feature] ?? -1;
      if (tile.types[feature] !== 1 || this.look.hidden?.has(value)) continue;
      const first = tile.pointStart[tile.ringStart[feature] ?? 0] ?? 0;
      const last = tile.pointStart[tile.ringStart[feature + 1] ?? 0] ?? 0;
      for (let i = first; i < last; i++) {
        pen.beginPath();
        pen.arc(tile.points[2 * i] ?? 0, tile.points[2 * i + 1] ?? 0, radius, 0, 2 * Math.PI);
        pen.fillStyle = this.colour(value);
        pen.strokeStyle = "#ffffff";
        pen.fill();
        pen.stroke();
      }
    }
  }

  private drawHighlight(pen: CanvasRenderingContext2D, tile: DecodedTile, scale: number): void {
    if (this.highlighted === null) return;
    const path = new Path2D();
    for (let feature = 0; feature < tile.count; feature++) {
      if (tile.properties[feature]?.["id"] === this.highlighted) pathOf(tile, path, feature);
    }
    const width = (window.devicePixelRatio || 1) / scale;
    for (const [colour, size] of [["#ffffff", 5], ["#0b57d0", 2.5]] as const) {
      pen.strokeStyle = colour;
      pen.lineWidth = size * width;
      pen.stroke(path);
    }
  }
}
