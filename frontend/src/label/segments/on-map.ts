// Has segments read when they are needed: while their tool is used, wherever the map looks, where the imagery is shown.

import type { App } from "../app";
import type { Imagery } from "../imagery/state";
import type { Segments } from "./segments";

const SETTLE_MS = 250;

/** Returns what ends it. */
export function onSegments(map: L.Map, app: App, segments: Segments, imagery: Imagery): () => void {
  let used = false;
  let settled: ReturnType<typeof setTimeout> | undefined;
  let { offsets } = imagery.view;
  const look = (): void => {
    clearTimeout(settled);
    if (used) settled = setTimeout(() => void segments.look(), SETTLE_MS);
  };
  const unsubscribe = app.subscribe(() => {
    const now = app.view.tool === "segments";
    if (now === used) return;
    used = now;
    if (now) void segments.look();
    else segments.drop();
  });
  const moved = imagery.subscribe(() => {
    if (imagery.view.offsets === offsets) return;
    ({ offsets } = imagery.view);
    if (used) segments.drop();
    look();
  });
  map.on("moveend", look);
  return () => {
    clearTimeout(settled);
    unsubscribe();
    moved();
    map.off("moveend", look);
  };
}
