// A canvas over the map that moves and zooms with it and is drawn anew when the map comes to rest.

/** Where a canvas lies: canvas pixels (CSS) are `world * scale - origin`. */
export interface Frame {
  readonly scale: number;
  readonly origin: readonly [x: number, y: number];
  readonly width: number;
  readonly height: number;
}

export type Draw = (pen: CanvasRenderingContext2D, frame: Frame) => void;

/** Part of the map's size that is drawn beyond each edge, so that a pan shows no blank at once. */
const PADDING = 0.35;

export class CanvasPane extends L.Layer {
  private readonly canvas = document.createElement("canvas");
  private frame: Frame | null = null;
  private corner = L.point(0, 0);
  private drawnZoom = 0;
  private drawnCentre = L.latLng(0, 0);
  private scheduled = 0;

  constructor(
    private readonly draw: Draw,
    private readonly paneName: string,
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

  /** Draw with the next animation frame. */
  redraw(): void {
    if (this.scheduled) return;
    this.scheduled = requestAnimationFrame(() => {
      this.scheduled = 0;
      this.paint();
    });
  }

  private paint(): void {
    const pen = this.canvas.getContext("2d");
    if (!pen || !this.frame) return;
    const ratio = window.devicePixelRatio || 1;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, this.frame.width, this.frame.height);
    this.draw(pen, this.frame);
  }

  private reset(): void {
    const map = this._map;
    const size = map.getSize();
    this.corner = map.containerPointToLayerPoint(size.multiplyBy(-PADDING)).round();
    const [width, height] = [Math.round(size.x * (1 + 2 * PADDING)), Math.round(size.y * (1 + 2 * PADDING))];
    const ratio = window.devicePixelRatio || 1;
    if (this.canvas.width !== Math.round(width * ratio) || this.canvas.height !== Math.round(height * ratio)) {
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
    this.paint();
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
