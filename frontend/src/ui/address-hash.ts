// An address that changes under an open page: by hand, by a link to another place of it, or by Back.

/** A view of a map, as an address names it. */
export interface AddressView {
  readonly zoom: number;
  readonly lat: number;
  readonly lon: number;
}

/** A number as pages write it. `Number` alone takes nothing at all for 0. */
const NUMBER = /^-?\d+(\.\d+)?(e-?\d+)?$/;
const MOST_ZOOM = 30;

/** The view that begins an address's hash: `#zoom/lat/lon`, and whatever follows after a `/`; null where there is none on Earth. */
export function viewOf(hash: string): AddressView | null {
  const texts = hash.replace(/^#/, "").split("/").slice(0, 3);
  if (texts.length < 3 || !texts.every((text) => NUMBER.test(text))) return null;
  const [zoom, lat, lon] = texts.map(Number) as [number, number, number];
  const sound = zoom >= 0 && zoom <= MOST_ZOOM && Math.abs(lat) <= 90 && Math.abs(lon) <= 180;
  return sound ? { zoom, lat, lon } : null;
}

/** A longitude as an address may name it: a map that was dragged around the Earth counts on beyond 180. */
export function onEarth(lon: number): number {
  return Math.abs(lon) <= 180 ? lon : ((((lon + 180) % 360) + 360) % 360) - 180;
}

/** Tell the hash that the open page is led to, until the returned function is called; what the page writes itself is not told. */
export function onHash(follow: (hash: string) => void): () => void {
  // Not `location.hash`: between the change and its event the page may have written where it was.
  const heard = (event: HashChangeEvent): void => follow(new URL(event.newURL).hash);
  window.addEventListener("hashchange", heard);
  return () => window.removeEventListener("hashchange", heard);
}
