import { useEffect, useState } from "preact/hooks";
import type { App, View } from "./app";

/** The app's view; renders anew when it changes. */
export function useView(app: App): View {
  const [view, setView] = useState(app.view);
  useEffect(() => {
    setView(app.view);
    return app.subscribe(() => setView(app.view));
  }, [app]);
  return view;
}

/** Samples per class value, of all that is loaded. */
export function countsOf(samples: View["doc"]["view"]): ReadonlyMap<number | null, number> {
  const counts = new Map<number | null, number>();
  for (const { classValue } of samples.values()) counts.set(classValue, (counts.get(classValue) ?? 0) + 1);
  return counts;
}
