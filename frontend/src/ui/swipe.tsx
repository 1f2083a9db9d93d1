// Two pictures of one place: one is drawn left of a divider, the other right of it.
import type { JSX } from "preact";

/** Cut a layer's element to one side of the divider; null shows it whole. Its own coordinates are Leaflet's layer points. */
export function clip(map: L.Map, element: HTMLElement, side: "left" | "right" | null, at: number): void {
  if (side === null) {
    element.style.clipPath = "";
    return;
  }
  const size = map.getSize();
  const corner = map.containerPointToLayerPoint([0, 0]);
  const divider = corner.x + size.x * at;
  const [west, east] = side === "left" ? [corner.x - size.x, divider] : [divider, corner.x + 2 * size.x];
  const [north, south] = [corner.y - size.y, corner.y + 2 * size.y];
  element.style.clipPath = `polygon(${west}px ${north}px, ${east}px ${north}px, ${east}px ${south}px, ${west}px ${south}px)`;
}

const STEP = 0.02;

/** The divider: drag it, or focus it and use the arrow keys. */
export function SwipeHandle({ at, onChange, label = "Swipe between the two layers" }: { at: number; onChange: (at: number) => void; label?: string }): JSX.Element {
  const drag = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    const handle = event.currentTarget as HTMLElement;
    const box = handle.parentElement?.getBoundingClientRect();
    if (!box) return;
    handle.setPointerCapture(event.pointerId);
    const stop = new AbortController();
    const { signal } = stop;
    handle.addEventListener("pointermove", (move) => onChange(Math.min(1, Math.max(0, (move.clientX - box.left) / box.width))), { signal });
    for (const end of ["pointerup", "pointercancel"]) handle.addEventListener(end, () => stop.abort(), { signal });
  };
  const keys = (event: KeyboardEvent): void => {
    const to = { ArrowLeft: at - STEP, ArrowRight: at + STEP, Home: 0, End: 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    onChange(Math.min(1, Math.max(0, to)));
  };
  return (
    <div
      class="swipe-handle"
      role="slider"
      tabIndex={0}
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(at * 100)}
      aria-orientation="horizontal"
      style={{ left: `${at * 100}%` }}
      onPointerDown={drag}
      onKeyDown={keys}
    >
      <span aria-hidden="true">⇔</span>
    </div>
  );
}
