// Go to coordinates, to a place by its name, or to a bookmark.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { asApiError, del, get, post } from "../ui/api";
import { Button, Icon, IconButton, TextInput, toast } from "../ui/components";
import type { Bounds } from "../ui/map";
import { Card } from "./card";
import { coordinatesOf } from "./coordinates-text";
import type { Place } from "./state";
import type { Stage } from "./stage";
import type { MapJson } from "./types";

interface Found {
  name: string;
  within: string;
  lon: number;
  lat: number;
  bounds: Bounds | null;
}

const PLACE_ZOOM = 13;
const POINT_ZOOM = 17;
const QUIET_MS = 250;

/** Move the map; a passing ring shows the spot. */
function show(stage: Stage, lat: number, lon: number, zoom: number): void {
  stage.map.setView([lat, lon], zoom);
  const ring = L.circleMarker([lat, lon], { radius: 14, color: "#d1495b", weight: 3, fill: false, interactive: false }).addTo(stage.map);
  setTimeout(() => ring.remove(), 4000);
}

function Places({ map, stage }: { map: MapJson; stage: Stage }): JSX.Element {
  const [query, setQuery] = useState("");
  const [found, setFound] = useState<{ results: Found[]; credit: string; query: string } | null>(null);
  const [error, setError] = useState("");
  const typed = coordinatesOf(query);
  const asked = typed || query.trim().length < 2 ? "" : query.trim();
  useEffect(() => {
    if (!asked) return undefined;
    const stop = new AbortController();
    const timer = setTimeout(() => {
      get<{ results: Found[]; credit: string }>(`/api/maps/${map.id}/places?q=${encodeURIComponent(asked)}`, { signal: stop.signal })
        .then((answer) => {
          setFound({ ...answer, query: asked });
          setError("");
        })
        .catch((failure: unknown) => {
          if (!stop.signal.aborted) setError(asApiError(failure).message);
        });
    }, QUIET_MS);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [map.id, asked]);
  const go = (place: Found): void => (place.bounds ? stage.zoomTo(place.bounds) : show(stage, place.lat, place.lon, PLACE_ZOOM));
  const shown = asked && found?.query === asked ? found : null;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        const first = shown?.results[0];
        if (typed) show(stage, typed.lat, typed.lon, POINT_ZOOM);
        else if (first) go(first);
      }}
    >
      <TextInput label="Place or coordinates" type="search" placeholder="Banepa, or 27.63, 85.52" value={query} onChange={setQuery} autofocus />
      {typed && (
        <Button small type="submit">
          Go to {typed.lat.toFixed(5)}, {typed.lon.toFixed(5)}
        </Button>
      )}
      {shown && (
        <>
          <ul class="finds" aria-label="Places">
            {shown.results.map((place, index) => (
              <li key={index}>
                <button type="button" class="find" onClick={() => go(place)}>
                  <strong class="truncate">{place.name}</strong> <span class="muted small-text truncate">{place.within}</span>
                </button>
              </li>
            ))}
          </ul>
          {shown.results.length === 0 && <p class="muted small-text">No place by that name.</p>}
          <p class="muted small-text">{shown.credit}</p>
        </>
      )}
      {error && (
        <p class="field-error" role="alert">
          {error}
        </p>
      )}
    </form>
  );
}

interface FindProps {
  map: MapJson;
  stage: Stage;
  place: Place | null;
  onSaved: (map: MapJson) => void;
  onClose: () => void;
}

/** The card with both. */
export function FindCard({ map, stage, place, onSaved, onClose }: FindProps): JSX.Element {
  const [name, setName] = useState("");
  const url = `/api/maps/${map.id}/bookmarks`;
  const write = async (call: () => Promise<MapJson>): Promise<void> => {
    try {
      onSaved(await call());
    } catch (error) {
      toast(`${asApiError(error).message} ${asApiError(error).fix}`, "bad");
    }
  };
  return (
    <Card title="Find" onClose={onClose}>
      <Places map={map} stage={stage} />
      {(map.can_edit || map.bookmarks.length > 0) && <h4>Bookmarks</h4>}
      {map.bookmarks.length > 0 && (
        <ul class="finds" aria-label="Bookmarks">
          {map.bookmarks.map((bookmark) => (
            <li key={bookmark.name}>
              <button type="button" class="find" onClick={() => stage.map.setView([bookmark.lat, bookmark.lon], bookmark.zoom)}>
                <Icon name="map" /> <span class="truncate">{bookmark.name}</span>
              </button>
              {map.can_edit && <IconButton label={`Delete bookmark ${bookmark.name}`} icon="trash" small onClick={() => void write(() => del<MapJson>(`${url}?name=${encodeURIComponent(bookmark.name)}`))} />}
            </li>
          ))}
        </ul>
      )}
      {map.can_edit && (
        <form
          class="apply-row"
          onSubmit={(event) => {
            event.preventDefault();
            if (!place || !name.trim()) return;
            void write(async () => {
              const saved = await post<MapJson>(url, { name: name.trim(), ...place });
              setName("");
              return saved;
            });
          }}
        >
          <TextInput label="Bookmark this view" value={name} onChange={setName} maxLength={100} placeholder="Name" />
          <Button type="submit" small disabled={name.trim() === "" || place === null}>
            Add
          </Button>
        </form>
      )}
    </Card>
  );
}
