// The map JSON as it lives: what the socket says is newer is asked for again.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { asApiError, get } from "../ui/api";
import { toast } from "../ui/components";
import { openLive } from "../ui/live";
import type { LiveState } from "../ui/live";
import type { Bounds } from "../ui/map";
import { merged } from "./state";
import { sourceOf } from "./types";
import type { FeaturesRow, LayerRow, MapJson, MapMessage } from "./types";

const RELOAD_QUIET_MS = 250;
// Tile tokens live for half a day; the map JSON brings fresh ones.
const RELOAD_EVERY_MS = 3 * 3600 * 1000;

export interface LiveMap {
  map: MapJson;
  live: LiveState;
  /** Take a fresh map that an answer brought. */
  accept: (fresh: MapJson) => void;
}

/** The map JSON as it lives: reloaded when the socket says so; `onFeatures` hears which tiles changed. */
export function useLiveMap(first: MapJson, onFeatures: (row: FeaturesRow, changed: Bounds | null) => void): LiveMap {
  const [map, setMap] = useState(first);
  const [live, setLive] = useState<LiveState>("connecting");
  const shownRef = useRef(map);
  useEffect(() => {
    shownRef.current = map;
  }, [map]);
  // An answer that was on its way while a newer one came is no news.
  const accept = useCallback((fresh: MapJson) => setMap((shown) => (fresh.version < shown.version ? shown : merged(fresh, shown))), []);
  useEffect(() => {
    const url = `/api/maps/${first.id}/`;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const reload = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        get<MapJson>(url)
          .then(accept)
          .catch((error: unknown) => toast(asApiError(error).message, "bad"));
      }, RELOAD_QUIET_MS);
    };
    const newer = (id: number, number: number, changed: Bounds | null): void => {
      const row = shownRef.current.layers.find((item) => item.id === id);
      if (row?.kind !== "features" || row.features.seq === number) return;
      const next: FeaturesRow = { ...row, features: { ...row.features, seq: number } };
      setMap((shown) => ({ ...shown, layers: shown.layers.map((item) => (item.id === id ? next : item)) }));
      onFeatures(next, changed);
    };
    const connection = openLive<MapMessage>(`/ws/maps/${first.id}/`, {
      onState: setLive,
      onRefused: () => toast("This map is no longer open to you. Load the page again.", "bad"),
      onMessage: (message) => {
        if (message.type === "pong") return;
        if (message.type === "layer") newer(message.layer, message.number, message.changed);
        // After a lost connection nobody knows where the changes are: every tile is asked for again.
        if (message.type === "welcome") for (const item of message.layers) newer(item.layer, item.number, null);
        const known = shownRef.current;
        const same =
          message.type === "welcome" &&
          message.version === known.version &&
          message.layers.every((item) => known.layers.some((row) => row.id === item.layer && fits(row, item)));
        if (!same) reload();
      },
    });
    const every = setInterval(reload, RELOAD_EVERY_MS);
    return () => {
      connection.stop();
      clearTimeout(timer);
      clearInterval(every);
    };
  }, [first.id, accept, onFeatures]);
  return { map, live, accept };
}

function fits(row: LayerRow, told: { number: number; state: string }): boolean {
  const number = row.kind === "features" ? row.features.seq : row.imagery.version;
  return number === told.number && sourceOf(row).state === told.state;
}
