// The map on which the extent is drawn: click corner after corner, close with a double click or Enter.
import { createMap, imageryLayer, toLatLngBounds } from "../ui/map";
import { boxOf, polygonOf } from "./request";
import type { Extent, Imagery, Position } from "./types";

export interface ExtentMap {
  /** Show other imagery; the extent goes. */
  show: (imagery: Imagery) => void;
  /** Begin to draw a polygon. */
  draw: () => void;
  /** Take what is seen as extent: the way by keyboard. */
  useView: () => void;
  clear: () => void;
  stop: () => void;
}

export interface ExtentMapOptions {
  onExtent: (extent: Extent | null) => void;
  onDrawing: (drawing: boolean) => void;
}

const LINE: L.PolylineOptions = { color: "#ffb000", weight: 3, fillOpacity: 0.12 };

/** Open the map in an element. */
export function openExtentMap(element: HTMLElement, options: ExtentMapOptions): ExtentMap {
  const map = createMap(element, { doubleClickZoom: false });
  let imagery: L.TileLayer | null = null;
  let shown: L.Polygon | null = null;
  let line: L.Polyline | null = null;
  let corners: Position[] = [];

  const setExtent = (extent: Extent | null): void => {
    shown?.remove();
    shown = null;
    const ring = extent?.coordinates[0];
    if (ring) shown = L.polygon(ring.map(([lon, lat]) => [lat, lon] as L.LatLngTuple), { ...LINE, interactive: false }).addTo(map);
    options.onExtent(extent);
  };
  const end = (): void => {
    line?.remove();
    line = null;
    corners = [];
    element.classList.remove("drawing");
    options.onDrawing(false);
  };
  const finish = (): void => {
    const extent = polygonOf(corners);
    end();
    if (extent) setExtent(extent);
  };
  const onClick = (event: L.LeafletMouseEvent): void => {
    if (!line) return;
    corners = [...corners, [event.latlng.lng, event.latlng.lat]];
    line.setLatLngs(corners.map(([lon, lat]) => [lat, lon] as L.LatLngTuple));
  };
  const onMove = (event: L.LeafletMouseEvent): void => {
    if (!line || corners.length === 0) return;
    line.setLatLngs([...corners.map(([lon, lat]) => [lat, lon] as L.LatLngTuple), event.latlng]);
  };
  const onKey = (event: KeyboardEvent): void => {
    if (!line) return;
    if (event.key === "Enter") finish();
    else if (event.key === "Escape") end();
    else return;
    event.preventDefault();
  };
  map.on("click", onClick);
  map.on("mousemove", onMove);
  map.on("dblclick", finish);
  document.addEventListener("keydown", onKey);

  return {
    show: (next) => {
      imagery?.remove();
      end();
      setExtent(null);
      if (next.bounds) map.fitBounds(toLatLngBounds(next.bounds), { animate: false, padding: [8, 8] });
      imagery = imageryLayer(next).addTo(map);
    },
    draw: () => {
      end();
      setExtent(null);
      line = L.polyline([], { ...LINE, dashArray: "6 6", interactive: false }).addTo(map);
      element.classList.add("drawing");
      options.onDrawing(true);
      map.getContainer().focus();
    },
    useView: () => {
      end();
      const seen = map.getBounds();
      setExtent(boxOf([seen.getWest(), seen.getSouth(), seen.getEast(), seen.getNorth()]));
    },
    clear: () => {
      end();
      setExtent(null);
    },
    stop: () => {
      document.removeEventListener("keydown", onKey);
      map.remove();
    },
  };
}
