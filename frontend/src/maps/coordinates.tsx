// Where the pointer is.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";

/** The readout; only it renders anew while the pointer moves. */
export function Coordinates({ pointer }: { pointer: EventTarget }): JSX.Element {
  const [place, setPlace] = useState<L.LatLng | null>(null);
  useEffect(() => {
    const heard = (event: Event): void => setPlace((event as CustomEvent<L.LatLng | null>).detail);
    pointer.addEventListener("place", heard);
    return () => pointer.removeEventListener("place", heard);
  }, [pointer]);
  return (
    <output class="coordinates numeric" aria-label="Coordinates under the pointer">
      {place ? `${place.lat.toFixed(6)}, ${place.wrap().lng.toFixed(6)}` : ""}
    </output>
  );
}
