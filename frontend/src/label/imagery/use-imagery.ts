import { useEffect, useState } from "preact/hooks";
import type { Imagery, Imaging } from "./state";

/** How the imagery is shown; renders anew when it changes. */
export function useImagery(imagery: Imagery): Imaging {
  const [view, setView] = useState(imagery.view);
  useEffect(() => {
    setView(imagery.view);
    return imagery.subscribe(() => setView(imagery.view));
  }, [imagery]);
  return view;
}
