// The Leaflet side of the page, for as long as its element is there.
import { render, h } from "preact";
import type { RefObject } from "preact";
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { asApiError } from "../ui/api";
import { toast } from "../ui/components";
import type { GroundState } from "../ui/ground";
import { known, Popup } from "./popup";
import { Stage } from "./stage";
import type { Found } from "./stage";
import type { Place } from "./state";
import type { GeometryTypes } from "./swatch";
import type { MapJson } from "./types";

export interface StageState {
  holderRef: RefObject<HTMLDivElement | null>;
  /** For what happens later; `stage` is null until the element is there. */
  stageRef: RefObject<Stage | null>;
  stage: Stage | null;
  place: Place | null;
  /** Hears "place" with the pointer's L.LatLng or null: it moves often, so only who listens renders anew. */
  pointer: EventTarget;
  types: ReadonlyMap<number, GeometryTypes>;
  /** How the basemap does. */
  ground: GroundState;
  /** Tell in a popup what was found. */
  popup: (at: L.LatLng, hits: Found[], on: L.Map) => Promise<void>;
}

/** Make the stage of the first map; it shows nothing until `show` is called. */
export function useStage(first: MapJson, start: Place | null): StageState {
  const holderRef = useRef<HTMLDivElement>(null);
  const stageRef = useRef<Stage | null>(null);
  const [stage, setStage] = useState<Stage | null>(null);
  const pointer = useMemo(() => new EventTarget(), []);
  const [place, setPlace] = useState<Place | null>(null);
  const [types, setTypes] = useState<ReadonlyMap<number, GeometryTypes>>(new Map());
  const [ground, setGround] = useState<GroundState>("ok");
  const clicksRef = useRef(0);
  const popup = useCallback(
    async (at: L.LatLng, hits: Found[], on: L.Map): Promise<void> => {
      clicksRef.current += 1;
      const click = clicksRef.current;
      const found = await known(first.id, hits, at.wrap());
      // Another click came meanwhile, or the page ended.
      if (found.length === 0 || click !== clicksRef.current || !on.getContainer().isConnected) return;
      const content = document.createElement("div");
      render(h(Popup, { map: first.id, found }), content);
      const popup = L.popup({ maxWidth: 320, minWidth: 180, maxHeight: 320 }).setLatLng(at).setContent(content).openOn(on);
      // What comes a moment later (a photo, attributes) makes it taller: it is measured and brought into view again.
      const grown = new ResizeObserver(() => popup.update());
      grown.observe(content);
      popup.on("remove", () => {
        grown.disconnect();
        render(null, content);
      });
    },
    [first.id],
  );
  useEffect(() => {
    const element = holderRef.current;
    if (!element) return undefined;
    const made = new Stage(element, first, start, {
      onMove: setPlace,
      onPointer: (at) => pointer.dispatchEvent(new CustomEvent("place", { detail: at })),
      onClick: (at, found) => void popup(at, found, made.map),
      onTypes: (layer, seen) => setTypes((now) => new Map(now).set(layer, seen)),
      onError: (error) => toast(`${asApiError(error).message} ${asApiError(error).fix}`, "bad"),
      onGround: setGround,
    });
    stageRef.current = made;
    setStage(made);
    setPlace(made.place());
    return () => {
      made.stop();
      stageRef.current = null;
    };
  }, [first, start, pointer, popup]);
  return { holderRef, stageRef, stage, place, pointer, types, ground, popup };
}
