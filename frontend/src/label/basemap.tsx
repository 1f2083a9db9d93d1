// What lies under the imagery while one labels: each person's own choice, kept in the browser.
import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import type { BasemapInfo } from "../ui/basemap";
import { Select } from "../ui/components";
import { Ground } from "../ui/ground";
import type { GroundState } from "../ui/ground";
import type { MapView } from "./map-view";

export interface Basemaps {
  /** All that the site has. */
  readonly site: readonly BasemapInfo[];
  /** Under whoever chose none. */
  readonly first: BasemapInfo | null;
}

const KEY = "quadrat-label-basemap";
const PLAIN = "plain";

function chosen(choice: string, { site, first }: Basemaps): BasemapInfo | null {
  return choice === PLAIN ? null : (site.find((one) => one.choice === choice) ?? first);
}

/** Keep the chosen basemap on the map; returns the field that chooses, null where there is nothing to choose. */
export function useBasemap(map: MapView | null, basemaps: Basemaps): JSX.Element | null {
  const [choice, setChoice] = useState(() => localStorage.getItem(KEY) ?? "");
  const [state, setState] = useState<GroundState>("ok");
  const ground = useMemo(() => map && new Ground(map.map, setState, false), [map]);
  const shown = chosen(choice, basemaps);
  useEffect(() => ground?.set(shown), [ground, shown]);
  if (basemaps.site.length === 0) return null;
  const amiss = state === "silent" ? "Its server sends no pictures here." : state === "partly" ? "Some of its pictures did not come." : undefined;
  return (
    <Select
      label="Basemap"
      hint="Seen around the imagery, and through it."
      error={amiss}
      value={shown?.choice ?? PLAIN}
      options={[{ value: PLAIN, label: "None" }, ...basemaps.site.map((one) => ({ value: one.choice, label: one.name }))]}
      onChange={(next) => {
        localStorage.setItem(KEY, next);
        setChoice(next);
      }}
    />
  );
}
