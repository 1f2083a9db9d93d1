// An empty map has no place of its own: it goes to the first layer that is put on it.
import { useEffect, useRef } from "preact/hooks";
import type { Stage } from "./stage";
import { boundsOf } from "./state";
import type { LayerRow } from "./types";

/** Zoom to the layers of a map that was empty before; not where a view was saved. */
export function useFirstLayer(stage: Stage | null, rows: readonly LayerRow[], saved: boolean): void {
  const emptyRef = useRef(rows.length === 0);
  useEffect(() => {
    if (!stage) return;
    const bounds = emptyRef.current && !saved ? boundsOf(rows) : null;
    emptyRef.current = rows.length === 0;
    if (bounds) stage.zoomTo(bounds, false);
  }, [stage, rows, saved]);
}
