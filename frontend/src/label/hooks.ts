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
