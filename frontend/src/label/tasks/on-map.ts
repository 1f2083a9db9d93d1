// Tasks and the map: what is drawn of them, and the click that chooses one.

import type { App } from "../app";
import type { MapView } from "../map-view";
import { taskAt } from "./list";
import { TaskOverlay } from "./overlay";
import type { Tasks } from "./tasks";

/** Draw the tasks, and let a click where no sample lies choose one while their panel is open; return what ends it. */
export function onTaskMap(map: MapView, app: App, tasks: Tasks): () => void {
  const overlay = new TaskOverlay(map.map);
  const draw = (): void => overlay.show(tasks.view, app.view.panel && app.view.tab === "tasks");
  const click = ({ latlng }: L.LeafletMouseEvent): void => {
    if (app.view.tab !== "tasks" || !app.view.panel || app.view.tool !== "select" || app.view.selected.size) return;
    const found = taskAt(tasks.view.list, [latlng.lng, latlng.lat]);
    tasks.choose(found && found.id !== tasks.view.chosen ? found.id : null);
  };
  map.map.on("click", click);
  const ends = [tasks.subscribe(draw), app.subscribe(draw)];
  draw();
  return () => {
    ends.forEach((end) => end());
    map.map.off("click", click);
    overlay.stop();
  };
}
