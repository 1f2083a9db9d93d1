// Leaflet's side of the viewer: keeps the layers on the map as the state says, and answers what is at a place.
import { createMap, imageryLayer, ImageryTileLayer, toLatLngBounds, VectorTileLayer, vectorTileLayer } from "../ui/map";
import type { Bounds, Hit, VectorStyle } from "../ui/map";
import { boundsOf, savedPlace } from "./state";
import type { Look, Place } from "./state";
import { sourceOf } from "./types";
import type { FeaturesRow, ImageryRow, LayerRow, MapJson } from "./types";

/** Something at a clicked place, the top layer first; what a raster holds there only the server knows. */
export type Found = { kind: "feature"; row: FeaturesRow; hit: Hit } | { kind: "raster"; row: ImageryRow };

export interface StageHandlers {
  onMove: (place: Place) => void;
  onPointer: (place: L.LatLng | null) => void;
  onClick: (place: L.LatLng, found: Found[]) => void;
}

/** Class values that the reader does not want to see, by layer id. */
export type HiddenClasses = ReadonlyMap<number, ReadonlySet<number>>;

export function styleOf(row: FeaturesRow, hidden: ReadonlySet<number> | undefined): VectorStyle {
  const colours = new Map(row.features.classes.map((item) => [item.value, item.colour]));
  return { colours, fillOpacity: 0.3, lineWidth: 1.5, hidden: hidden ?? new Set() };
}

/** The map with its layers. */
export class Stage {
  readonly map: L.Map;
  private readonly layers = new Map<number, ImageryTileLayer | VectorTileLayer>();
  private rows: readonly LayerRow[] = [];
  private look: Look = new Map();

  constructor(element: HTMLElement, map: MapJson, place: Place | null, handlers: StageHandlers) {
    this.map = createMap(element);
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
      this.hover(event.latlng);
    });
    this.map.on("mouseout", () => handlers.onPointer(null));
    this.map.on("click", (event) => handlers.onClick(event.latlng, this.at(event.latlng)));
  }

  /** End everything. */
  stop(): void {
    this.map.remove();
  }

  place(): Place {
    const { lat, lng } = this.map.getCenter();
    return { lat, lon: lng, zoom: this.map.getZoom() };
  }

  zoomTo(bounds: Bounds, animate = true): void {
    this.map.fitBounds(toLatLngBounds(bounds), { padding: [8, 8], maxZoom: 22, animate });
  }

  /** Put on the map what the state says. */
  show(rows: readonly LayerRow[], look: Look, hidden: HiddenClasses): void {
    this.rows = rows;
    this.look = look;
    const known = new Set(rows.map((row) => row.id));
    for (const [id, layer] of this.layers) {
      if (known.has(id)) continue;
      layer.remove();
      this.layers.delete(id);
    }
    rows.forEach((row, index) => this.put(row, index, hidden.get(row.id)));
  }

  /** Show a feature layer's newer state; only tiles that touch `changed` are asked for again. */
  refresh(row: FeaturesRow, changed: Bounds | null): void {
    const layer = this.layers.get(row.id);
    if (layer instanceof VectorTileLayer) layer.refresh(row.features, changed);
  }

  private put(row: LayerRow, index: number, hidden: ReadonlySet<number> | undefined): void {
    let layer = this.layers.get(row.id);
    if (!layer) {
      layer = row.kind === "features" ? vectorTileLayer(row.features, styleOf(row, hidden)) : imageryLayer(row.imagery);
      this.layers.set(row.id, layer);
    } else if (layer instanceof VectorTileLayer && row.kind === "features") {
      layer.setStyle(styleOf(row, hidden));
    } else if (layer instanceof ImageryTileLayer && row.kind !== "features") {
      layer.refresh(row.imagery);
    }
    const shown = this.look.get(row.id) ?? { visible: row.visible, opacity: row.opacity };
    layer.setOpacity(shown.opacity).setZIndex(index + 2);
    if (shown.visible && !this.map.hasLayer(layer)) layer.addTo(this.map);
    if (!shown.visible) layer.remove();
  }

  private visibleRows(): LayerRow[] {
    return this.rows.filter((row) => this.look.get(row.id)?.visible).reverse();
  }

  private at(place: L.LatLng): Found[] {
    return this.visibleRows().flatMap((row): Found[] => {
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
      const hit: Hit | undefined = found ? undefined : layer.hitsAt(place, 2)[0];
      const id = hit?.properties["id"];
      layer.highlight(typeof id === "string" ? id : null);
      found ||= hit !== undefined;
    }
    this.map.getContainer().classList.toggle("over-feature", found);
  }
}
