// A photo in the map's popup; a click opens it large.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { get } from "../ui/api";
import { Spinner } from "../ui/components";
import type { PhotoJson } from "../ui/photo";
import { PhotoFacts, PhotoViewer } from "../ui/photo-viewer";
import { titleOf } from "./types";
import type { FeaturesRow } from "./types";

/** Thumbnail, how it was taken, and the viewer behind it. */
export function PhotoCard({ map, row, id }: { map: string; row: FeaturesRow; id: string }): JSX.Element {
  const [photo, setPhoto] = useState<PhotoJson | null | "gone">(null);
  const [open, setOpen] = useState(false);
  useEffect(() => {
    const stop = new AbortController();
    get<PhotoJson>(`/api/maps/${map}/layers/${row.id}/photos/${id}/`, { signal: stop.signal })
      .then(setPhoto)
      .catch(() => {
        if (!stop.signal.aborted) setPhoto("gone");
      });
    return () => stop.abort();
  }, [map, row.id, id]);
  if (photo === null) return <Spinner />;
  if (photo === "gone") return <p class="muted small-text">This photo is gone.</p>;
  return (
    <section>
      <button type="button" class="photo-thumbnail" onClick={() => setOpen(true)} aria-label={`Look at ${photo.name}`}>
        <img src={photo.thumbnail} alt="" />
      </button>
      <h3 class="break-anywhere">{photo.name}</h3>
      <p class="muted small-text">{titleOf(row)}</p>
      <PhotoFacts photo={photo} />
      {open && <PhotoViewer photo={photo} onClose={() => setOpen(false)} />}
    </section>
  );
}
