// Pointer gestures on the map: mouse, pen and one finger. Two fingers and the wheel stay the map's own.

import type { Position } from "./types";

/** One place of a gesture. */
export interface Place {
  /** World coordinates. */
  readonly world: Position;
  /** CSS pixels within the map. */
  readonly px: Position;
  readonly shift: boolean;
  readonly alt: boolean;
  /** Ctrl or Cmd: no snapping. */
  readonly free: boolean;
  readonly touch: boolean;
}

export interface Gestures {
  /** A press: true takes the gesture (the map does not pan), false leaves it to the map. */
  press(place: Place): boolean;
  /** The taken gesture goes on. */
  drag(place: Place): void;
  /** The taken gesture ends after a real movement. */
  release(place: Place): void;
  /** The taken gesture ended where it began; a click follows. */
  still(): void;
  /** The taken gesture is broken off: a second finger, Escape, a lost pointer. */
  cancel(): void;
  /** A press and release in one place, taken or not. */
  click(place: Place): void;
  /** The pointer moves without a gesture. */
  hover(place: Place): void;
  leave(): void;
  /** The other button, or a long press. */
  menu(place: Place): boolean;
}

const CLICK_PX = 4;
const TOUCH_CLICK_PX = 10;

/** Listen on a map; return what ends it. */
export function listenTo(map: L.Map, gestures: Gestures, panning: () => boolean): () => void {
  const element = map.getContainer();
  const stop = new AbortController();
  const options = { signal: stop.signal, capture: true } as const;
  const pressed = new Set<number>();
  let start: { id: number; place: Place; taken: boolean; moved: boolean } | null = null;

  const placeOf = (event: PointerEvent | MouseEvent): Place => {
    const px = map.mouseEventToContainerPoint(event);
    const projected = map.project(map.containerPointToLatLng(px), map.getZoom());
    const size = 256 * 2 ** map.getZoom();
    return {
      world: [projected.x / size, projected.y / size],
      px: [px.x, px.y],
      shift: event.shiftKey,
      alt: event.altKey,
      free: event.ctrlKey || event.metaKey,
      touch: "pointerType" in event && event.pointerType === "touch",
    };
  };
  const onControl = (event: Event): boolean => event.target instanceof Element && event.target.closest(".leaflet-control, .leaflet-popup") !== null;
  const end = (): void => {
    if (start?.taken) map.dragging.enable();
    start = null;
  };
  const breakOff = (): void => {
    if (start?.taken) gestures.cancel();
    end();
  };

  element.addEventListener("pointerdown", (event) => {
    if (onControl(event)) return;
    // The ring around a focused map is for those who came by key.
    element.classList.add("by-pointer");
    pressed.add(event.pointerId);
    if (pressed.size > 1) return breakOff();
    if (event.button !== 0) return;
    const place = placeOf(event);
    const taken = !panning() && gestures.press(place);
    start = { id: event.pointerId, place, taken, moved: false };
    if (!taken) return;
    // Before Leaflet hears the mousedown or touchstart that follows.
    map.dragging.disable();
    element.setPointerCapture(event.pointerId);
  }, options);

  element.addEventListener("pointermove", (event) => {
    if (!start || start.id !== event.pointerId) {
      if (!onControl(event) && event.pointerType !== "touch") gestures.hover(placeOf(event));
      return;
    }
    const place = placeOf(event);
    const slack = place.touch ? TOUCH_CLICK_PX : CLICK_PX;
    const { px } = start.place;
    start.moved ||= Math.hypot(place.px[0] - px[0], place.px[1] - px[1]) > slack;
    if (start.taken && start.moved) gestures.drag(place);
  }, options);

  element.addEventListener("pointerup", (event) => {
    pressed.delete(event.pointerId);
    if (!start || start.id !== event.pointerId) return;
    const { taken, moved } = start;
    const place = placeOf(event);
    end();
    if (taken && moved) gestures.release(place);
    else if (taken) gestures.still();
    if (!moved && !panning()) gestures.click(place);
  }, options);

  element.addEventListener("pointercancel", (event) => {
    pressed.delete(event.pointerId);
    breakOff();
  }, options);

  element.addEventListener("blur", () => element.classList.remove("by-pointer"), { signal: stop.signal });
  element.addEventListener("pointerleave", () => gestures.leave(), { signal: stop.signal });
  element.addEventListener("contextmenu", (event) => {
    if (!onControl(event) && gestures.menu(placeOf(event))) event.preventDefault();
  }, options);
  window.addEventListener("blur", () => {
    pressed.clear();
    breakOff();
  }, { signal: stop.signal });

  return () => {
    breakOff();
    stop.abort();
  };
}
