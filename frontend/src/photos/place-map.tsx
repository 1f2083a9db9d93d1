// The map of a set: each placed photo a point; a click places one by hand.
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { createMap, toLatLngBounds } from "../ui/map";
import type { Bounds } from "../ui/map";
import type { PhotoJson } from "../ui/photo";

interface PlaceMapProps {
  photos: readonly PhotoJson[];
  bounds: Bounds | null;
  chosen: string | null;
  /** A photo waits for a click on the map. */
  placing: boolean;
  onChoose: (photo: PhotoJson) => void;
  onPlace: (lon: number, lat: number) => void;
}

const WEDGE_PX = 34;
const HALF_ANGLE = 0.42;

/** Points and, where it is known, the direction in which each camera looked. */
class Marks extends L.Layer {
  private readonly group = L.layerGroup();
  private photos: readonly PhotoJson[] = [];
  private chosen: string | null = null;

  constructor(private readonly onChoose: (photo: PhotoJson) => void) {
    super();
  }

  override onAdd(map: L.Map): this {
    this.group.addTo(map);
    map.on("zoomend", this.draw, this);
    return this;
  }

  override onRemove(map: L.Map): this {
    this.group.remove();
    map.off("zoomend", this.draw, this);
    return this;
  }

  show(photos: readonly PhotoJson[], chosen: string | null): void {
    this.photos = photos;
    this.chosen = chosen;
    this.draw();
  }

  private draw(): void {
    const map = this._map as L.Map | undefined;
    this.group.clearLayers();
    if (!map) return;
    for (const photo of this.photos) {
      if (!photo.place) continue;
      const [lon, lat] = photo.place;
      const here = L.latLng(lat, lon);
      const colour = photo.id === this.chosen ? "#d95f02" : "#136f63";
      if (photo.direction_deg !== null) this.group.addLayer(wedge(map, here, photo.direction_deg, colour));
      const mark = L.circleMarker(here, { radius: photo.id === this.chosen ? 8 : 6, color: "#ffffff", weight: 2, fillColor: colour, fillOpacity: 1 });
      mark.bindTooltip(photo.name).on("click", (event) => {
        L.DomEvent.stopPropagation(event);
        this.onChoose(photo);
      });
      this.group.addLayer(mark);
    }
  }
}

/** A slice of so many pixels towards a direction; drawn anew at every zoom. */
function wedge(map: L.Map, here: L.LatLng, direction: number, colour: string): L.Polygon {
  const middle = map.latLngToLayerPoint(here);
  const turn = (direction * Math.PI) / 180;
  const edge = [-1, -0.5, 0, 0.5, 1].map((share) => {
    const angle = turn + share * HALF_ANGLE;
    return map.layerPointToLatLng(middle.add([Math.sin(angle) * WEDGE_PX, -Math.cos(angle) * WEDGE_PX]));
  });
  return L.polygon([here, ...edge], { stroke: false, fillColor: colour, fillOpacity: 0.4, interactive: false });
}

/** The map. */
export function PlaceMap({ photos, bounds, chosen, placing, onChoose, onPlace }: PlaceMapProps): JSX.Element {
  const holder = useRef<HTMLDivElement>(null);
  const shownRef = useRef<{ map: L.Map; marks: Marks } | null>(null);
  const heardRef = useRef({ placing, onChoose, onPlace });
  useEffect(() => {
    heardRef.current = { placing, onChoose, onPlace };
  }, [placing, onChoose, onPlace]);
  const firstRef = useRef(bounds);
  useEffect(() => {
    if (!holder.current) return undefined;
    const map = createMap(holder.current, { preferCanvas: true });
    if (firstRef.current) map.fitBounds(toLatLngBounds(firstRef.current), { animate: false, padding: [48, 48], maxZoom: 18 });
    const marks = new Marks((photo) => heardRef.current.onChoose(photo)).addTo(map);
    map.on("click", ({ latlng }) => {
      const { lng, lat } = latlng.wrap();
      if (heardRef.current.placing) heardRef.current.onPlace(lng, lat);
    });
    shownRef.current = { map, marks };
    return () => {
      shownRef.current = null;
      map.remove();
    };
  }, []);
  useEffect(() => shownRef.current?.marks.show(photos, chosen), [photos, chosen]);
  useEffect(() => {
    // The first photos that come to an empty set bring the map to their place.
    if (firstRef.current || !bounds) return;
    firstRef.current = bounds;
    shownRef.current?.map.fitBounds(toLatLngBounds(bounds), { animate: false, padding: [48, 48], maxZoom: 18 });
  }, [bounds]);
  const goneRef = useRef<string | null>(null);
  useEffect(() => {
    const photo = photos.find((item) => item.id === chosen);
    const map = shownRef.current?.map;
    // Another choice moves the map, a moved photo does not.
    const known = goneRef.current === chosen;
    goneRef.current = chosen;
    if (known || !photo?.place || !map) return;
    const here = L.latLng(photo.place[1], photo.place[0]);
    if (!map.getBounds().contains(here)) map.panTo(here);
  }, [photos, chosen]);
  return <div class={placing ? "photo-map placing" : "photo-map"} ref={holder} role="region" aria-label="Map of the photos" />;
}
