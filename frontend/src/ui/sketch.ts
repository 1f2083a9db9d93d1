// Draws points, lines and polygons with clicks, for measuring and notes. Not an editor of features.
import type { LonLat } from "./geodesic";
import { between } from "./geodesic";

export type SketchKind = "point" | "line" | "polygon";

export interface SketchHandlers {
  /** The points so far, and where the pointer is. */
  onChange: (points: readonly LonLat[], pointer: LonLat | null) => void;
  onDone: (points: readonly LonLat[]) => void;
}

const LEAST: Record<SketchKind, number> = { point: 1, line: 2, polygon: 3 };
// Longer edges are drawn as they lie on Earth, bent on this map.
const BEND = 0.01;

/** Return the points of a line as it lies on Earth, for Leaflet. */
export function bent(points: readonly LonLat[], closed: boolean): L.LatLngTuple[] {
  const first = points[0];
  const path = closed && first && points.length > 2 ? [...points, first] : points;
  return path.flatMap((point, index): L.LatLngTuple[] => {
    const before = path[index - 1];
    const pieces = before ? between(before, point, BEND).slice(1) : [point];
    return pieces.map(([lon, lat]) => [lat, lon]);
  });
}

/** One drawing on a map, from its start to its stop. */
export class Sketch {
  private points: LonLat[] = [];
  private pointer: LonLat | null = null;
  private readonly line: L.Polyline;
  private readonly area: L.Polygon;
  private readonly dots: L.LayerGroup;
  private readonly stopping = new AbortController();
  private done = false;

  constructor(
    private readonly map: L.Map,
    private readonly kind: SketchKind,
    private readonly handlers: SketchHandlers,
    colour = "#d1495b",
  ) {
    const look = { color: colour, weight: 3, interactive: false };
    this.area = L.polygon([], { ...look, stroke: false, fillOpacity: 0.15 }).addTo(map);
    this.line = L.polyline([], look).addTo(map);
    this.dots = L.layerGroup().addTo(map);
    map.doubleClickZoom.disable();
    map.getContainer().classList.add("sketching");
    map.on("click", this.clicked).on("mousemove", this.moved).on("dblclick", this.finish);
    document.addEventListener("keydown", this.keys, { signal: this.stopping.signal, capture: true });
  }

  /** Add a point, as a click does. */
  add(point: LonLat): void {
    if (this.done) return;
    const last = this.points.at(-1);
    if (last && this.map.latLngToContainerPoint([last[1], last[0]]).distanceTo(this.map.latLngToContainerPoint([point[1], point[0]])) < 3) return;
    this.points = [...this.points, point];
    this.draw();
    if (this.kind === "point") this.finish();
  }

  /** Take the last point back. */
  back(): void {
    this.points = this.points.slice(0, -1);
    this.done = false;
    this.draw();
  }

  readonly finish = (): void => {
    if (this.done || this.points.length < LEAST[this.kind]) return;
    this.done = true;
    this.pointer = null;
    this.draw();
    this.handlers.onDone(this.points);
  };

  /** Remove the drawing and all listeners. */
  stop(): void {
    this.stopping.abort();
    this.map.off("click", this.clicked).off("mousemove", this.moved).off("dblclick", this.finish);
    this.map.doubleClickZoom.enable();
    this.map.getContainer().classList.remove("sketching");
    for (const layer of [this.area, this.line, this.dots]) layer.remove();
  }

  private readonly clicked = (event: L.LeafletMouseEvent): void => this.add([event.latlng.lng, event.latlng.lat]);

  private readonly moved = (event: L.LeafletMouseEvent): void => {
    if (this.done || this.points.length === 0) return;
    this.pointer = [event.latlng.lng, event.latlng.lat];
    this.draw();
  };

  private readonly keys = (event: KeyboardEvent): void => {
    if (event.target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT|BUTTON)$/.test(event.target.tagName)) return;
    if (event.key === "Enter") this.finish();
    else if (event.key === "Backspace") this.back();
    else return;
    event.preventDefault();
  };

  private draw(): void {
    const path = this.pointer ? [...this.points, this.pointer] : this.points;
    const closed = this.kind === "polygon";
    this.line.setLatLngs(bent(path, closed));
    this.area.setLatLngs(closed && path.length > 2 ? bent(path, true) : []);
    this.dots.clearLayers();
    for (const [lon, lat] of this.points) {
      this.dots.addLayer(L.circleMarker([lat, lon], { radius: 4, color: "#ffffff", weight: 2, fillColor: String(this.line.options.color), fillOpacity: 1, interactive: false }));
    }
    this.handlers.onChange(this.points, this.pointer);
  }
}
