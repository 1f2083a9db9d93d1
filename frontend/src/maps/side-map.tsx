// The second map of a side-by-side comparison; both always show the same place.
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { BasemapInfo } from "../ui/map";
import { Stage } from "./stage";
import type { Found } from "./stage";
import type { Look } from "./state";
import type { LayerRow, MapJson } from "./types";

/** Keep two maps at the same place; returns what ends it. */
export function synced(a: L.Map, b: L.Map): () => void {
  let busy = false;
  const follow = (from: L.Map, to: L.Map) => (): void => {
    if (busy) return;
    busy = true;
    to.setView(from.getCenter(), from.getZoom(), { animate: false });
    busy = false;
  };
  const [ab, ba] = [follow(a, b), follow(b, a)];
  a.on("move zoomend", ab);
  b.on("move zoomend", ba);
  ab();
  return () => {
    a.off("move zoomend", ab);
    b.off("move zoomend", ba);
  };
}

/** The map on the right. */
export function SideMap(props: { first: MapJson; main: Stage; basemap: BasemapInfo | null; rows: readonly LayerRow[]; look: Look; onClick: (place: L.LatLng, found: Found[], map: L.Map) => void }): JSX.Element {
  const { first, main, basemap, rows, look, onClick } = props;
  const holderRef = useRef<HTMLDivElement>(null);
  const stageRef = useRef<Stage | null>(null);
  useEffect(() => {
    const element = holderRef.current;
    if (!element) return undefined;
    const made = new Stage(element, first, main.place(), {
      onMove: () => undefined,
      onPointer: () => undefined,
      onClick: (place, found) => onClick(place, found, made.map),
      onTypes: () => undefined,
      onError: () => undefined,
    });
    stageRef.current = made;
    main.map.invalidateSize({ pan: false });
    const stop = synced(main.map, made.map);
    return () => {
      stop();
      made.stop();
      stageRef.current = null;
    };
  }, [first, main, onClick]);
  useEffect(() => stageRef.current?.ground.set(basemap), [basemap]);
  useEffect(() => stageRef.current?.show(rows, look), [rows, look]);
  return <div class="map right" ref={holderRef} aria-label="The map on the right" />;
}
