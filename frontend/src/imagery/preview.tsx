// The layer on a map, with the outlines of a mosaic's scenes.
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { createMap, imageryLayer, toLatLngBounds } from "../ui/map";
import { Footprints } from "./footprints";
import type { Scene } from "./mosaic";
import type { Layer } from "./types";

/** Show the layer; `lit` names the scene that stands out. */
export function Preview(props: { layer: Layer; scenes?: readonly Scene[]; lit?: string | null }): JSX.Element {
  const { layer, scenes, lit = null } = props;
  const holder = useRef<HTMLDivElement>(null);
  const firstRef = useRef(layer);
  const shownRef = useRef<{ map: L.Map; tiles: ReturnType<typeof imageryLayer>; outlines: Footprints } | null>(null);
  useEffect(() => {
    if (!holder.current) return undefined;
    const map = createMap(holder.current, { bounds: firstRef.current.bounds });
    const tiles = imageryLayer(firstRef.current).addTo(map);
    shownRef.current = { map, tiles, outlines: new Footprints(map) };
    return () => {
      shownRef.current = null;
      map.remove();
    };
  }, []);
  useEffect(() => {
    const shown = shownRef.current;
    shown?.tiles.refresh(layer);
    if (layer.bounds) shown?.map.setMaxBounds(toLatLngBounds(layer.bounds).pad(3));
  }, [layer]);
  useEffect(() => shownRef.current?.outlines.show(scenes ?? []), [scenes]);
  useEffect(() => shownRef.current?.outlines.light(lit), [lit, scenes]);
  return <div class="imagery-map" ref={holder} aria-label={`Map of ${layer.name}`} role="region" />;
}
