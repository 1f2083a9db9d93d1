// Outlines of scenes on a map.
import { toLatLngBounds } from "../ui/map";
import { boxOf } from "./mosaic";
import type { Scene } from "./mosaic";

/** Where scenes lie; `show` replaces them, `light` makes one stand out. */
export class Footprints {
  private readonly group: L.FeatureGroup;
  private readonly shapes = new Map<string, L.GeoJSON>();

  constructor(private readonly map: L.Map) {
    this.group = L.featureGroup().addTo(map);
  }

  /** Draw these scenes' outlines, and no others. */
  show(scenes: readonly Scene[]): void {
    this.group.clearLayers();
    this.shapes.clear();
    const middle = boxOf(scenes.slice(0, 1));
    for (const scene of scenes) {
      if (!scene.footprint) continue;
      const shape = L.geoJSON(scene.footprint as GeoJSON.MultiPolygon, {
        // Drawn on the side of the antimeridian where the first scene lies.
        coordsToLatLng: ([lon = 0, lat = 0]) =>
          L.latLng(lat, middle ? lon + 360 * Math.round(((middle[0] + middle[2]) / 2 - lon) / 360) : lon),
        style: { className: "footprint", weight: 1.5, fill: true },
      });
      const name = document.createElement("span");
      name.textContent = scene.name;
      shape.bindTooltip(name, { sticky: true });
      shape.addTo(this.group);
      this.shapes.set(scene.id, shape);
    }
  }

  /** Make one scene's outline stand out; null: none. */
  light(id: string | null): void {
    for (const [key, shape] of this.shapes) {
      shape.eachLayer((part) => (part as L.Path).getElement()?.classList.toggle("lit", key === id));
      if (key === id) shape.bringToFront();
    }
  }

  /** Look at all of these scenes. */
  fit(scenes: readonly Scene[]): void {
    const box = boxOf(scenes);
    if (box) this.map.fitBounds(toLatLngBounds(box), { animate: false, padding: [24, 24] });
  }
}
