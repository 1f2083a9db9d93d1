// The map's basemap in the panel, and the dialog that chooses another.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { creditOf } from "../ui/basemap";
import type { BasemapInfo, ImageryBasemap, SiteBasemap } from "../ui/basemap";
import { get } from "../ui/api";
import { Button, Dialog, ErrorNote, Icon, Spinner } from "../ui/components";
import type { GroundState } from "../ui/ground";
import type { MapJson } from "./types";

const AMISS: Record<GroundState, string> = {
  ok: "",
  partly: "Some of its pictures did not come.",
  silent: "Its server sends no pictures here.",
};

/** What lies under the layers. */
export function BasemapLine({ map, state, onChange }: { map: MapJson; state: GroundState; onChange: () => void }): JSX.Element | null {
  const { shown } = map.basemap;
  if (!shown && !map.can_edit) return null;
  return (
    <section class="basemap-line" aria-label="Basemap">
      <Icon name="map" />
      <div class="truncate">
        <div class="truncate">{shown?.name ?? "No basemap"}</div>
        {shown && state !== "ok" ? (
          <div class="small-text basemap-amiss" role="status">
            <Icon name="warn" /> {AMISS[state]}
          </div>
        ) : (
          <div class="muted small-text truncate">Basemap{shown && creditOf(shown) ? `, ${creditOf(shown)}` : ""}</div>
        )}
      </div>
      {map.can_edit && (
        <Button small onClick={onChange}>
          Change<span class="visually-hidden"> the basemap</span>
        </Button>
      )}
    </section>
  );
}

interface Choices {
  default: BasemapInfo | null;
  site: SiteBasemap[];
  imagery: ImageryBasemap[];
}

const KINDS = { xyz: "XYZ tiles", tms: "TMS tiles", wms: "WMS", imagery: "Imagery of this project" };

function hostOf(basemap: BasemapInfo): string {
  return basemap.kind === "imagery" ? "" : ` of ${new URL(basemap.url.replace("{s}", basemap.subdomains.split(",")[0] ?? "")).host}`;
}

/** Choose what lies under the layers. */
export function BasemapDialog({ map, onChoose, onClose }: { map: MapJson; onChoose: (choice: string) => void; onClose: () => void }): JSX.Element {
  const [choices, setChoices] = useState<Choices | null>(null);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    const stop = new AbortController();
    get<Choices>(`/api/maps/${map.id}/basemaps`, { signal: stop.signal })
      .then(setChoices)
      .catch((failure: unknown) => {
        if (!stop.signal.aborted) setError(failure);
      });
    return () => stop.abort();
  }, [map.id]);
  const options = choices && [
    { choice: "", name: "Default of the site", hint: choices.default ? `${choices.default.name} now.` : "Plain ground now." },
    { choice: "plain", name: "None", hint: "Plain ground; nothing outside is asked." },
    ...[...choices.site, ...choices.imagery].map((item) => ({ choice: item.choice, name: item.name, hint: `${KINDS[item.kind]}${hostOf(item)}` })),
  ];
  return (
    <Dialog title="Basemap" onClose={onClose} actions={<Button onClick={onClose}>Done</Button>}>
      {error !== null && <ErrorNote error={error} />}
      {choices === null && error === null && <Spinner />}
      {options && (
        <fieldset class="choices">
          <legend class="visually-hidden">What lies under the layers</legend>
          {options.map(({ choice, name, hint }) => (
            <label key={choice} class="choice">
              <input type="radio" name="basemap" checked={map.basemap.choice === choice} onChange={() => onChoose(choice)} />
              <span>
                <strong>{name}</strong>
                <span class="muted small-text">{hint}</span>
              </span>
            </label>
          ))}
        </fieldset>
      )}
      {choices?.site.length === 0 && <p class="muted small-text">An administrator of this site can add XYZ, TMS and WMS basemaps under Administration.</p>}
    </Dialog>
  );
}
