// A photo to look at: zoomed and moved like a map, with how it was taken.
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Button } from "./buttons";
import { Dialog } from "./dialog";
import { number } from "./format";
import { Icon } from "./icons";
import { directionText, exposureText, pitchText, takenText } from "./photo";
import type { PhotoJson } from "./photo";
import "./photo.css";

/** An arrow to where the camera looked; north is up. */
export function Direction({ degrees }: { degrees: number }): JSX.Element {
  return (
    <svg class="photo-direction" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <path d="M8 1.5 12 13.5 8 11 4 13.5Z" transform={`rotate(${degrees} 8 8)`} />
    </svg>
  );
}

/** How a photo was taken. */
export function PhotoFacts({ photo }: { photo: PhotoJson }): JSX.Element {
  const rows: [string, JSX.Element | string | null][] = [
    ["Taken", photo.taken_at ? takenText(photo.taken_at) : null],
    [
      "Looks",
      photo.direction_deg === null ? null : (
        <>
          <Direction degrees={photo.direction_deg} /> {directionText(photo.direction_deg)}
          {photo.pitch_deg !== null && `, ${pitchText(photo.pitch_deg)}`}
        </>
      ),
    ],
    ["Above take-off", photo.height_m === null ? null : `${number(photo.height_m)} m`],
    ["Altitude", photo.altitude_m === null ? null : `${number(photo.altitude_m)} m`],
    ["Position", photo.place && `${photo.place[1].toFixed(6)}, ${photo.place[0].toFixed(6)}`],
    ["Camera", photo.camera && [photo.camera, photo.lens].filter(Boolean).join(", ")],
    ["Exposure", exposureText(photo) || null],
    ["Pixels", `${photo.width} × ${photo.height}`],
  ];
  return (
    <dl class="facts small-text">
      {rows.map(([name, value]) =>
        value ? (
          <>
            <dt key={name}>{name}</dt>
            <dd>{value}</dd>
          </>
        ) : null,
      )}
    </dl>
  );
}

/** The picture in a dialog; drag, wheel, pinch and the keys of a map move it. */
export function PhotoViewer({ photo, onClose }: { photo: PhotoJson; onClose: () => void }): JSX.Element {
  const holder = useRef<HTMLDivElement>(null);
  const { picture, thumbnail, width, height, name } = photo;
  useEffect(() => {
    const element = holder.current;
    if (!element) return undefined;
    const bounds = L.latLngBounds([-height, 0], [0, width]);
    const map = L.map(element, { crs: L.CRS.Simple, minZoom: -6, maxZoom: 4, zoomSnap: 0.25, wheelPxPerZoomLevel: 120, attributionControl: false, maxBounds: bounds.pad(0.5) });
    // The small copy is there at once, below the sharp one.
    L.imageOverlay(thumbnail, bounds).addTo(map);
    L.imageOverlay(picture, bounds, { alt: name }).addTo(map);
    map.fitBounds(bounds, { animate: false });
    const observer = new ResizeObserver(() => map.invalidateSize({ animate: false }).fitBounds(bounds, { animate: false }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      map.remove();
    };
  }, [picture, thumbnail, width, height, name]);
  return (
    <Dialog
      wide
      title={name}
      onClose={onClose}
      actions={
        <>
          <a class="button" href={picture} download={name}>
            <Icon name="download" /> Download
          </a>
          <Button kind="primary" onClick={onClose}>
            Done
          </Button>
        </>
      }
    >
      <div class="photo-viewer" ref={holder} role="application" aria-label={`${name}: drag to move, plus and minus to zoom`} />
      <PhotoFacts photo={photo} />
      {photo.notes.map((note) => (
        <p key={note} class="muted small-text">
          {note}
        </p>
      ))}
    </Dialog>
  );
}
