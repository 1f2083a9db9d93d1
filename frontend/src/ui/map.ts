// The map port: everything the pages know of Leaflet's set-up. Leaflet itself is django-leaflet's `window.L`.
import { basemapLayer, siteBasemap } from "./basemap";
import type { BasemapInfo } from "./basemap";
import { ImageryTileLayer, toLatLngBounds } from "./imagery-layer";
import type { ImageryInfo } from "./imagery-layer";
import { VectorTileLayer } from "./vector-layer";
import type { VectorInfo } from "./vector-layer";
import type { VectorStyle } from "./vector-paint";
import type { Bounds } from "./vector-tile";

export { basemapLayer, toLatLngBounds, ImageryTileLayer, VectorTileLayer };
export type { BasemapInfo, Bounds, ImageryInfo, VectorInfo, VectorStyle };
export type { Hit } from "./vector-layer";
export type { Paint, PointSymbol } from "./vector-paint";

export interface MapOptions extends L.MapOptions {
  /** Show this area first. */
  bounds?: Bounds | null | undefined;
  /** Leave the scale bar out. */
  noScale?: boolean | undefined;
  /** What lies under everything; null: nothing yet; not given: what the site has under its maps. */
  basemap?: BasemapInfo | null | undefined;
}

/** Make a map with zoom buttons, scale bar, attribution and basemap. */
export function createMap(element: HTMLElement, options: MapOptions = {}): L.Map {
  const { bounds, noScale, basemap = siteBasemap(), ...rest } = options;
  const map = L.map(element, {
    center: [20, 0],
    zoom: 2,
    maxZoom: 26,
    minZoom: 1,
    zoomControl: false,
    attributionControl: false,
    ...rest,
  });
  L.control.zoom({ position: "topright" }).addTo(map);
  L.control.attribution({ prefix: false, position: "bottomright" }).addTo(map);
  if (!noScale) L.control.scale({ imperial: false, position: "bottomleft" }).addTo(map);
  if (basemap) basemapLayer(basemap).addTo(map);
  if (bounds) map.fitBounds(toLatLngBounds(bounds), { animate: false, padding: [8, 8] });
  // Panels that open and close change the map's size without the window changing.
  const observer = new ResizeObserver(() => map.invalidateSize({ animate: false, pan: false }));
  observer.observe(element);
  map.on("unload", () => observer.disconnect());
  return map;
}

/** Go to a place at once. */
export function goTo(map: L.Map, centre: L.LatLngTuple, zoom: number): void {
  map.setView(centre, zoom, { animate: false });
  // An animated zoom that is under way ends with a jump to where it led.
  if (map.getPane("mapPane")?.classList.contains("leaflet-zoom-anim")) map.once("zoomend", () => goTo(map, centre, zoom));
}

/** Imagery or a class raster as a layer; `refresh(info)` shows another version. */
export function imageryLayer(info: ImageryInfo, options: L.TileLayerOptions = {}): ImageryTileLayer {
  return new ImageryTileLayer(info, options);
}

/** A feature layer as a layer; `refresh`, `setStyle`, `highlight` and `hitsAt` do the rest. */
export function vectorTileLayer(info: VectorInfo, style: VectorStyle, options: L.GridLayerOptions = {}): VectorTileLayer {
  return new VectorTileLayer(info, style, options);
}
