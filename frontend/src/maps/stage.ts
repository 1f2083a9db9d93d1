// Leaflet's side of the viewer: keeps the layers on the map as the state says, and answers what is at a place.
import { createMap, imageryLayer, ImageryTileLayer, toLatLngBounds, VectorTileLayer, vectorTileLayer } from "../ui/map";
import type { Bounds, Hit, ImageryInfo, VectorStyle } from "../ui/map";
import { clip } from "../ui/swipe";
import { Labels } from "../ui/vector-labels";
import type { LabelSource } from "../ui/vector-labels";
import { ColumnStore, isLarge } from "./column-store";
import { Ground } from "../ui/ground";
import type { GroundState } from "../ui/ground";
import { boundsOf, sameJson, savedLook, savedPlace } from "./state";
import type { Look, Place } from "./state";
import { featureStyle, LABEL_SIZE, labeller, neededFields, vectorStyle } from "./style";
import type { Filter } from "./style";
import type { Compare } from "./swipe";
import { sourceOf } from "./types";
import type { FeaturesRow, ImageryRow, LayerRow, MapJson } from "./types";

/** Something at a clicked place, the top layer first; what a raster holds there only the server knows. */
export type Found = { kind: "feature"; row: FeaturesRow; hit: Hit } | { kind: "raster"; row: ImageryRow };

export interface StageHandlers {
  onMove: (place: Place) => void;
  onPointer: (place: L.LatLng | null) => void;
  onClick: (place: L.LatLng, found: Found[]) => void;
  /** A feature layer holds geometry types that were not seen before: 1 points, 2 lines, 3 polygons. */
  onTypes: (layer: number, types: readonly number[]) => void;
  onError: (error: unknown) => void;
  onGround?: (state: GroundState) => void;
}

/** A style with what it was made of, so that what is drawn changes only when one of these does. */
interface Made {
  from: readonly unknown[];
  style: VectorStyle;
}

/** What the tile layer needs of a row of imagery, its look with it. */
function infoOf(row: ImageryRow): ImageryInfo {
  return { ...row.imagery, look: row.picture.query };
}

/** What the tiles of a large layer bring for its style. */
function tileFields(row: FeaturesRow, filter: Filter): string[] {
  return isLarge(row) ? neededFields(featureStyle(row), filter) : [];
}

/** The map with its layers. */
export class Stage {
  readonly map: L.Map;
  readonly ground: Ground;
  private readonly layers = new Map<number, ImageryTileLayer | VectorTileLayer>();
  private rows: readonly LayerRow[] = [];
  private look: Look = new Map();
  private readonly styles = new Map<number, Made>();
  private readonly columns: ColumnStore;
  private readonly labels: Labels;
  private compare: Compare | null = null;

  constructor(
    element: HTMLElement,
    map: MapJson,
    place: Place | null,
    private readonly handlers: StageHandlers,
    { copied = false }: { copied?: boolean } = {},
  ) {
    this.map = createMap(element, { basemap: null });
    this.ground = new Ground(this.map, (state) => handlers.onGround?.(state), copied);
    this.ground.set(map.basemap.shown);
    this.labels = new Labels(this.map);
    this.columns = new ColumnStore(map.id, () => this.show(this.rows, this.look), handlers.onError);
    const bounds = boundsOf(map.layers);
    const start = place ?? savedPlace(map);
    if (start) this.map.setView([start.lat, start.lon], start.zoom, { animate: false });
    else if (bounds) this.zoomTo(bounds, false);
    this.map.on("moveend", () => handlers.onMove(this.place()));
    // An animated zoom ends a quarter of a second later: the address and "Save view" know its end from the start.
    this.map.on("zoomanim", ({ center, zoom, noUpdate }) => {
      if (!noUpdate) handlers.onMove({ lat: center.lat, lon: center.lng, zoom });
    });
    this.map.on("mousemove", (event) => {
      handlers.onPointer(event.latlng);
      // A map that is dragged stays as it is.
      if (event.originalEvent.buttons === 0) this.hover(event.latlng);
    });
    this.map.on("mouseout", () => handlers.onPointer(null));
    this.map.on("click", (event) => {
      // While something is drawn a click belongs to the drawing.
      if (!this.map.getContainer().classList.contains("sketching")) handlers.onClick(event.latlng, this.at(event.latlng));
    });
    this.map.on("move zoomend resize viewreset", () => this.cut());
  }

  /** End everything. */
  stop(): void {
    this.columns.stop();
    this.labels.stop();
    this.map.remove();
  }

  place(): Place {
    const { lat, lng } = this.map.getCenter();
    return { lat, lon: lng, zoom: this.map.getZoom() };
  }

  zoomTo(bounds: Bounds, animate = true): void {
    this.map.fitBounds(toLatLngBounds(bounds), { padding: [8, 8], maxZoom: 22, animate });
  }

  /** What is in view. */
  bounds(): Bounds {
    const box = this.map.getBounds();
    return [box.getWest(), box.getSouth(), box.getEast(), box.getNorth()];
  }

  /** Put on the map what the state says. */
  show(rows: readonly LayerRow[], look: Look): void {
    this.rows = rows;
    this.look = look;
    const known = new Set(rows.map((row) => row.id));
    for (const [id, layer] of this.layers) {
      if (known.has(id)) continue;
      layer.remove();
      this.layers.delete(id);
      this.styles.delete(id);
    }
    rows.forEach((row, index) => this.put(row, index));
    this.labels.show(this.labelSources());
    this.cut();
  }

  /** Swipe between two layers; null shows both whole. */
  setCompare(compare: Compare | null): void {
    this.compare = compare;
    this.cut();
  }

  /** Ring features of one layer; none of the others. */
  select(layer: number | null, ids: ReadonlySet<string>): void {
    for (const [id, other] of this.layers) if (other instanceof VectorTileLayer) other.select(id === layer ? ids : new Set());
  }

  /** Draw what the map shows on a pen, `scale` pixels for each of CSS. What its server does not let us copy is left out. */
  drawOn(pen: CanvasRenderingContext2D, scale: number): void {
    const frame = this.map.getContainer().getBoundingClientRect();
    const put = (element: Element): void => {
      if (element instanceof HTMLImageElement) {
        if (element.naturalWidth === 0) return;
        // Drawn nevertheless, one picture of another site would make the whole canvas unreadable.
        if (new URL(element.src).origin !== window.location.origin && element.crossOrigin === null) return;
      }
      if (!(element instanceof HTMLImageElement || element instanceof HTMLCanvasElement) || element.width === 0) return;
      const box = element.getBoundingClientRect();
      pen.drawImage(element, (box.left - frame.left) * scale, (box.top - frame.top) * scale, box.width * scale, box.height * scale);
    };
    this.map.getPane("tilePane")?.querySelectorAll(":scope > .leaflet-layer:not(.quadrat-layer) img").forEach(put);
    for (const row of this.rows) {
      const element = this.layers.get(row.id)?.getContainer();
      if (!element) continue;
      pen.save();
      const side = this.sideOf(row);
      const divider = (this.compare?.at ?? 0) * frame.width * scale;
      pen.beginPath();
      pen.rect(side === "right" ? divider : 0, 0, side === "left" ? divider : frame.width * scale, frame.height * scale);
      pen.clip();
      pen.globalAlpha = (this.look.get(row.id) ?? savedLook(row)).opacity;
      element.querySelectorAll("img, canvas").forEach(put);
      pen.restore();
    }
    this.map.getPane("labels")?.querySelectorAll("canvas").forEach(put);
  }

  /** Settle when nothing in view is on its way any more, or after the time. */
  async settled(timeout_ms: number): Promise<void> {
    const end = Date.now() + timeout_ms;
    const loading = (): boolean => this.ground.isLoading || [...this.layers.values()].some((layer) => this.map.hasLayer(layer) && layer.isLoading());
    do await new Promise((done) => setTimeout(done, 120));
    while (loading() && Date.now() < end);
  }

  /** Show a feature layer's newer state; only tiles that touch `changed` are asked for again. */
  refresh(row: FeaturesRow, changed: Bounds | null): void {
    const layer = this.layers.get(row.id);
    if (layer instanceof VectorTileLayer) layer.refresh(row.features, changed);
  }

  private put(row: LayerRow, index: number): void {
    const shown = this.look.get(row.id) ?? savedLook(row);
    let layer = this.layers.get(row.id);
    if (!layer) {
      layer = this.made(row, shown.filter);
      this.layers.set(row.id, layer);
    } else if (layer instanceof VectorTileLayer && row.kind === "features") {
      const before = this.styles.get(row.id)?.style;
      const style = this.styleOf(row, shown.filter);
      layer.setFields(tileFields(row, shown.filter));
      if (style !== before) layer.setStyle(style);
    } else if (layer instanceof ImageryTileLayer && row.kind !== "features") {
      layer.refresh(infoOf(row));
    }
    layer.setOpacity(shown.opacity).setZIndex(index + 2);
    if (shown.visible && !this.map.hasLayer(layer)) layer.addTo(this.map);
    layer.getContainer()?.classList.add("quadrat-layer");
    if (!shown.visible) layer.remove();
  }

  private made(row: LayerRow, filter: Filter): ImageryTileLayer | VectorTileLayer {
    if (row.kind !== "features") return imageryLayer(infoOf(row));
    const layer = vectorTileLayer(row.features, this.styleOf(row, filter));
    layer.setFields(tileFields(row, filter));
    layer.on("types", () => this.handlers.onTypes(row.id, [...layer.types]));
    return layer;
  }

  private styleOf(row: FeaturesRow, filter: Filter): VectorStyle {
    const fields = neededFields(featureStyle(row), filter);
    this.columns.want(row, fields);
    const column = this.columns.of(row);
    const from = [row.style, row.features.classes, filter, ...fields.map(column)];
    const known = this.styles.get(row.id);
    if (known?.from.length === from.length && known.from.every((item, index) => same(item, from[index]))) return known.style;
    const style = vectorStyle(row, filter, column);
    this.styles.set(row.id, { from, style });
    return style;
  }

  private labelSources(): LabelSource[] {
    return this.visibleRows().flatMap((row): LabelSource[] => {
      const layer = this.layers.get(row.id);
      if (row.kind !== "features" || !(layer instanceof VectorTileLayer)) return [];
      const text = labeller(row, this.columns.of(row));
      return text ? [{ layer, text, size: featureStyle(row).label_size ?? LABEL_SIZE }] : [];
    });
  }

  private sideOf(row: LayerRow): "left" | "right" | null {
    if (this.compare?.mode !== "swipe") return null;
    const { id } = sourceOf(row);
    return id === this.compare.left ? "left" : id === this.compare.right ? "right" : null;
  }

  private cut(): void {
    for (const row of this.rows) {
      const element = this.layers.get(row.id)?.getContainer();
      if (element) clip(this.map, element, this.sideOf(row), this.compare?.at ?? 0);
    }
  }

  private cutOff(row: LayerRow, place: L.LatLng): boolean {
    const side = this.sideOf(row);
    if (side === null) return false;
    const share = this.map.latLngToContainerPoint(place).x / this.map.getSize().x;
    return (share < (this.compare?.at ?? 0)) !== (side === "left");
  }

  private visibleRows(): LayerRow[] {
    return this.rows.filter((row) => this.look.get(row.id)?.visible).reverse();
  }

  private at(place: L.LatLng): Found[] {
    return this.visibleRows().flatMap((row): Found[] => {
      if (this.cutOff(row, place)) return [];
      const layer = this.layers.get(row.id);
      if (row.kind === "features" && layer instanceof VectorTileLayer) {
        return layer.hitsAt(place, 4).map((hit) => ({ kind: "feature", row, hit }));
      }
      const bounds = sourceOf(row).bounds;
      if (row.kind === "features" || !bounds || !toLatLngBounds(bounds).contains(place)) return [];
      return [{ kind: "raster", row }];
    });
  }

  private hover(place: L.LatLng): void {
    let found = false;
    for (const row of this.visibleRows()) {
      const layer = this.layers.get(row.id);
      if (!(layer instanceof VectorTileLayer)) continue;
      const hit: Hit | undefined = found || this.cutOff(row, place) ? undefined : layer.hitsAt(place, 2)[0];
      const id = hit?.properties["id"];
      layer.highlight(typeof id === "string" ? id : null);
      found ||= hit !== undefined;
    }
    this.map.getContainer().classList.toggle("over-feature", found);
  }
}

/** Whether two inputs of a style are equal; the map's JSON comes anew with every reload, with equal contents. */
function same(a: unknown, b: unknown): boolean {
  return a === b || (typeof a !== "function" && typeof b !== "function" && sameJson(a, b));
}
