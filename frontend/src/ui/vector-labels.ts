// Texts beside features, on one canvas above all layers, so that none is cut at a tile's edge and none lies on another.
import { readerOf } from "./vector-columns";
import type { Properties } from "./vector-columns";
import type { DecodedTile } from "./vector-tile";
import { colourOf } from "./vector-paint";
import type { VectorTileLayer } from "./vector-layer";

export interface LabelSource {
  layer: VectorTileLayer;
  /** "" for a feature without a text. */
  text: (classValue: number, properties: Properties) => string;
  /** CSS pixels. */
  size: number;
}

interface Label {
  text: string;
  size: number;
  x: number;
  y: number;
  /** Square of tile units: where a feature lies in several tiles, its largest part has the text. */
  weight: number;
}

// More texts than this are a grey cloud, and cost a frame.
const MOST = 600;
const QUIET_MS = 80;
const MARGIN = 0.15;
const TILE_PX = 256;

/** Keep those that lie on no other, the first ones first. Boxes are left, top, right, bottom. */
export function apart<T extends { box: readonly [number, number, number, number] }>(items: readonly T[], most: number): T[] {
  const cell = 64;
  const taken = new Map<string, T["box"][]>();
  const kept: T[] = [];
  for (const item of items) {
    if (kept.length >= most) break;
    const [left, top, right, bottom] = item.box;
    const cells: string[] = [];
    for (let x = Math.floor(left / cell); x <= Math.floor(right / cell); x++) {
      for (let y = Math.floor(top / cell); y <= Math.floor(bottom / cell); y++) cells.push(`${x}/${y}`);
    }
    const free = cells.every((key) => (taken.get(key) ?? []).every((box) => box[2] <= left || box[0] >= right || box[3] <= top || box[1] >= bottom));
    if (!free) continue;
    for (const key of cells) taken.set(key, [...(taken.get(key) ?? []), item.box]);
    kept.push(item);
  }
  return kept;
}

/** The canvas with all texts of a map. */
export class Labels {
  private readonly canvas = document.createElement("canvas");
  private sources: readonly LabelSource[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly soon = (): void => {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.draw(), QUIET_MS);
  };
  private readonly hide = (): void => {
    this.canvas.hidden = true;
  };

  constructor(private readonly map: L.Map) {
    this.canvas.className = "map-labels leaflet-zoom-hide";
    const pane = map.createPane("labels");
    pane.classList.add("labels-pane");
    pane.append(this.canvas);
    map.on("moveend zoomend resize", this.soon).on("zoomstart", this.hide);
  }

  /** Show the texts of these layers, the top one first. */
  show(sources: readonly LabelSource[]): void {
    for (const { layer } of this.sources) layer.off("drawn", this.soon);
    this.sources = sources;
    for (const { layer } of sources) layer.on("drawn", this.soon);
    this.soon();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.show([]);
    clearTimeout(this.timer);
    this.canvas.remove();
  }

  private draw(): void {
    const pen = this.canvas.getContext("2d");
    if (!pen || !this.map.getContainer().isConnected) return;
    const size = this.map.getSize();
    const margin = size.multiplyBy(MARGIN).round();
    const origin = this.map.containerPointToLayerPoint(margin.multiplyBy(-1));
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [size.x + 2 * margin.x, size.y + 2 * margin.y];
    this.canvas.width = this.sources.length > 0 ? width * ratio : 0;
    this.canvas.height = this.sources.length > 0 ? height * ratio : 0;
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${height}px`;
    this.canvas.hidden = this.sources.length === 0;
    L.DomUtil.setPosition(this.canvas, origin);
    if (this.sources.length === 0) return;
    pen.scale(ratio, ratio);
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.lineJoin = "round";
    const family = getComputedStyle(this.map.getContainer()).fontFamily;
    const boxed = this.found(origin).map((label) => {
      pen.font = `600 ${label.size}px ${family}`;
      const half = pen.measureText(label.text).width / 2 + 3;
      const rise = label.size * 0.65;
      return { label, box: [label.x - half, label.y - rise, label.x + half, label.y + rise] as const };
    });
    const inView = boxed.filter(({ box }) => box[2] > 0 && box[3] > 0 && box[0] < width && box[1] < height);
    for (const { label } of apart(inView, MOST)) {
      pen.font = `600 ${label.size}px ${family}`;
      pen.strokeStyle = "rgb(255 255 255 / 90%)";
      pen.lineWidth = 3;
      pen.strokeText(label.text, label.x, label.y);
      pen.fillStyle = "#10211c";
      pen.fillText(label.text, label.x, label.y);
    }
  }

  private found(origin: L.Point): Label[] {
    const labels: Label[] = [];
    const zoom = this.map.getZoom();
    const shift = this.map.getPixelOrigin().add(origin);
    for (const { layer, text, size } of this.sources) {
      const parts = new Map<string, Label>();
      layer.eachShown((tile, z, x, y, style) => {
        const scale = 2 ** (zoom - z) * TILE_PX;
        const read = readerOf(tile.columns);
        for (let feature = 0; feature < tile.count; feature++) {
          const properties = read(feature);
          const value = tile.classes[feature] ?? -1;
          if (colourOf(style, value, properties) === null) continue;
          const said = text(value, properties);
          if (said === "") continue;
          const [u, v, weight] = middle(tile, feature);
          const id = String(properties["id"] ?? properties["fid"]);
          if ((parts.get(id)?.weight ?? -1) >= weight) continue;
          const below = tile.types[feature] === 1 ? (style.radius ?? 5) + size * 0.8 : 0;
          parts.set(id, { text: said, size, x: (x + u) * scale - shift.x, y: (y + v) * scale - shift.y + below, weight });
        }
      });
      labels.push(...[...parts.values()].sort((a, b) => b.weight - a.weight));
    }
    return labels;
  }
}

/** The middle of the part of a feature that lies in the tile, in tiles, and the part's box. */
function middle(tile: DecodedTile, feature: number): [number, number, number] {
  const [x0 = 0, y0 = 0, x1 = 0, y1 = 0] = [0, 1, 2, 3].map((k) => Math.min(tile.extent, Math.max(0, tile.boxes[feature * 4 + k] ?? 0)));
  return [(x0 + x1) / 2 / tile.extent, (y0 + y1) / 2 / tile.extent, (x1 - x0) * (y1 - y0)];
}
