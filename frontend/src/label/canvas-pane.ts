// A canvas over the map that moves and zooms with it and is drawn anew when the map comes to rest: all of it, or only the
// parts that changed or came into view.

import type { Bounds } from "./geometry";
import { REACH_PX, reached, uncovered } from "./parts";
import type { Frame } from "./parts";

export type { Frame } from "./parts";

/**
 * `part`: what can be seen in the part that is drawn anew, world coordinates; the pen is clipped to the part. Null:
 * everything is drawn.
 */
export type Draw = (pen: CanvasRenderingContext2D, frame: Frame, part: Bounds | null) => void;

/** Part of the map's size that is drawn beyond each edge, so that a pan shows no blank at once. */
const PADDING = 0.35;

export class CanvasPane extends L.Layer {
  private readonly canvas = document.createElement("canvas");
  private frame: Frame | null = null;
  private corner = L.point(0, 0);
  private drawnZoom = 0;
  private drawnCentre = L.latLng(0, 0);
  private scheduled = 0;
  /** What changed since the last picture, world coordinates; null: everything may have. */
  private changed: readonly Bounds[] | null = null;

  /** `mayPart`: whether the picture as it stands can be drawn anew in parts; by default it cannot. */
  constructor(
    private readonly draw: Draw,
    private readonly paneName: string,
    private readonly mayPart: (frame: Frame) => boolean = () => false,
  ) {
    super({ pane: paneName });
    this.canvas.className = "leaflet-zoom-animated label-canvas";
    this.canvas.setAttribute("aria-hidden", "true");
  }

  override onAdd(map: L.Map): this {
    (map.getPane(this.paneName) ?? map.createPane(this.paneName)).append(this.canvas);
    this.reset();
    return this;
  }

  override onRemove(): this {
    cancelAnimationFrame(this.scheduled);
    this.canvas.remove();
    return this;
  }

  override getEvents(): Record<string, L.LeafletEventHandlerFn> {
    return {
      viewreset: () => this.reset(),
      moveend: () => this.reset(),
      resize: () => this.reset(),
      move: () => this.follow(),
      zoom: () => this.place(this._map.getCenter(), this._map.getZoom()),
      zoomanim: (event) => {
        const { center, zoom } = event as L.ZoomAnimEvent;
        this.place(center, zoom);
      },
    };
  }

  /** Draw with the next animation frame: what lies at these places (world coordinates), or everything. */
  redraw(places: readonly Bounds[] | null = null): void {
    this.changed = places && this.changed && [...this.changed, ...places];
    if (this.scheduled) return;
    this.scheduled = requestAnimationFrame(() => {
      this.scheduled = 0;
      this.paint([]);
    });
  }

  /** Draw what changed, and some boxes of the canvas; all of it where parts will not do. */
  private paint(boxes: readonly Bounds[] | null): void {
    const pen = this.canvas.getContext("2d");
    const { frame, changed } = this;
    if (!pen || !frame) return;
    this.changed = [];
    const ratio = window.devicePixelRatio || 1;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    if (!boxes || !changed || !this.mayPart(frame)) {
      pen.clearRect(0, 0, frame.width, frame.height);
      this.draw(pen, frame, null);
      return;
    }
    const { scale, origin } = frame;
    const places = changed.map(([minX, minY, maxX, maxY]): Bounds => [
      minX * scale - origin[0] - REACH_PX, minY * scale - origin[1] - REACH_PX, maxX * scale - origin[0] + REACH_PX, maxY * scale - origin[1] + REACH_PX,
    ]);
    for (const box of [...boxes, ...places]) this.paintPart(pen, frame, box, ratio);
  }

  private paintPart(pen: CanvasRenderingContext2D, frame: Frame, box: Bounds, ratio: number): void {
    // To whole pixels of the device: a clip through the middle of one would leave a seam.
    const left = Math.floor(Math.max(box[0], 0) * ratio) / ratio;
    const top = Math.floor(Math.max(box[1], 0) * ratio) / ratio;
    const right = Math.ceil(Math.min(box[2], frame.width) * ratio) / ratio;
    const bottom = Math.ceil(Math.min(box[3], frame.height) * ratio) / ratio;
    if (right <= left || bottom <= top) return;
    pen.save();
    pen.beginPath();
    pen.rect(left, top, right - left, bottom - top);
    pen.clip();
    pen.clearRect(left, top, right - left, bottom - top);
    this.draw(pen, frame, reached(frame, [left, top, right, bottom]));
    pen.restore();
  }

  private reset(): void {
    const map = this._map;
    const size = map.getSize();
    const before = this.drawnZoom === map.getZoom() ? this.frame : null;
    this.corner = map.containerPointToLayerPoint(size.multiplyBy(-PADDING)).round();
    const [width, height] = [Math.round(size.x * (1 + 2 * PADDING)), Math.round(size.y * (1 + 2 * PADDING))];
    const ratio = window.devicePixelRatio || 1;
    const fits = this.canvas.width === Math.round(width * ratio) && this.canvas.height === Math.round(height * ratio);
    if (!fits) {
      this.canvas.width = Math.round(width * ratio);
      this.canvas.height = Math.round(height * ratio);
      this.canvas.style.width = `${width}px`;
      this.canvas.style.height = `${height}px`;
    }
    L.DomUtil.setTransform(this.canvas, this.corner, 1);
    const origin = map.getPixelOrigin().add(this.corner);
    this.drawnZoom = map.getZoom();
    this.drawnCentre = map.getCenter();
    this.frame = { scale: 256 * 2 ** this.drawnZoom, origin: [origin.x, origin.y], width, height };
    cancelAnimationFrame(this.scheduled);
    this.scheduled = 0;
    this.paint(fits && before ? this.moved(before, this.frame, ratio) : null);
  }

  /** Move the picture to where a pan has brought it; return the boxes that are blank then, null where all has to be drawn. */
  private moved(before: Frame, now: Frame, ratio: number): Bounds[] | null {
    const by = [before.origin[0] - now.origin[0], before.origin[1] - now.origin[1]] as const;
    const strips = uncovered(by, [now.width, now.height]);
    const pen = this.canvas.getContext("2d");
    if (!strips || !pen || !this.changed || !Number.isInteger(by[0] * ratio) || !Number.isInteger(by[1] * ratio) || !this.mayPart(now)) return null;
    if (!strips.length) return strips;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.globalCompositeOperation = "copy";
    pen.drawImage(this.canvas, by[0] * ratio, by[1] * ratio);
    pen.globalCompositeOperation = "source-over";
    return strips;
  }

  /** A pan that outruns the drawn margin draws on the way. */
  private follow(): void {
    if (this._map.getZoom() !== this.drawnZoom) return;
    const moved = this._map.containerPointToLayerPoint([0, 0]).subtract(this.corner);
    const size = this._map.getSize();
    const inside = moved.x >= 0 && moved.y >= 0 && moved.x <= size.x * 2 * PADDING && moved.y <= size.y * 2 * PADDING;
    if (!inside) this.reset();
  }

  /** Scale the picture as it is to a view that the map is moving to. */
  private place(centre: L.LatLng, zoom: number): void {
    const map = this._map;
    const scale = map.getZoomScale(zoom, this.drawnZoom);
    const half = map.getSize().multiplyBy(0.5 + PADDING);
    const panned = L.DomUtil.getPosition(map.getPanes().mapPane);
    const newOrigin = map.project(centre, zoom).subtract(map.getSize().divideBy(2)).add(panned).round();
    const offset = half.multiplyBy(-scale).add(map.project(this.drawnCentre, zoom)).subtract(newOrigin);
    L.DomUtil.setTransform(this.canvas, offset, scale);
  }
}
