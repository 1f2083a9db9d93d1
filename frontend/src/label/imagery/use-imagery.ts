import { useEffect, useState } from "preact/hooks";
import type { CopyView, Copying } from "./copying";
import type { Imagery, Imaging } from "./state";

interface Watched<View> {
  readonly view: View;
  readonly subscribe: (listener: () => void) => () => void;
}

function useWatched<View>(watched: Watched<View>): View {
  const [view, setView] = useState(watched.view);
  useEffect(() => {
    setView(watched.view);
    return watched.subscribe(() => setView(watched.view));
  }, [watched]);
  return view;
}

/** How the imagery is shown; renders anew when it changes. */
export function useImagery(imagery: Imagery): Imaging {
  return useWatched(imagery);
}

/** How copying to the other date stands; renders anew when it changes. */
export function useCopying(copying: Copying): CopyView {
  return useWatched(copying);
}
