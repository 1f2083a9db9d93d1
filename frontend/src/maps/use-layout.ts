// The layout editor of a page.
import { useEffect, useReducer, useState } from "preact/hooks";
import { asApiError, get, put } from "../ui/api";
import { toast } from "../ui/components";
import { LayoutEditor } from "./layout-editor";
import type { MapJson } from "./types";

/** Return the editor, and the map with what is not yet written. */
export function useLayout(live: MapJson, accept: (fresh: MapJson) => void): { map: MapJson; editor: LayoutEditor } {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const [editor] = useState(() => {
    const url = `/api/maps/${live.id}/`;
    return new LayoutEditor(live, {
      write: (layout, version) => put<MapJson>(`${url}layout`, { version, ...layout }),
      reload: () => get<MapJson>(url),
      accept,
      failed: (error) => toast(`${asApiError(error).message} ${asApiError(error).fix}`, "bad"),
      changed: () => redraw(undefined),
    });
  });
  editor.see(live);
  useEffect(() => {
    const last = (): void => void editor.flush();
    window.addEventListener("pagehide", last);
    return () => {
      window.removeEventListener("pagehide", last);
      last();
    };
  }, [editor]);
  return { map: editor.overlay(live), editor };
}
