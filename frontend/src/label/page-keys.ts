// What the page's keys do.

import type { App } from "./app";
import type { Key } from "./bindings";
import type { EditorPort } from "./editor";
import type { Copying } from "./imagery/copying";
import type { Imagery } from "./imagery/state";
import { keyTable } from "./keys";
import type { MapView } from "./map-view";

const PAN_PX = 80;

/** There is no second date yet: where to choose one. */
function offerDates(app: App): boolean {
  app.set({ panel: true, tab: "imagery" });
  app.tell("Choose another date in the Imagery panel first.");
  return true;
}

export function pageKeys(app: App, map: MapView, editor: EditorPort, imagery: Imagery, copying: Copying): Key[] {
  const { tools } = map;
  const pick = (add: boolean): boolean => {
    if (app.view.tool !== "select") return false;
    // Nobody picks what they are not shown: where there is no crosshair yet, it comes first.
    if (!map.setCrosshair(true)) tools.pick(map.centre(), add);
    return true;
  };
  return keyTable({
    tool: (name) => app.setTool(name),
    command: (name) => app.drawing?.command(name),
    nthClass: (n) => app.chooseNth(n),
    finish: () => tools.finish() || (app.drawing?.takeSegments() ?? false) || pick(false),
    pickToo: () => pick(true),
    escape: () => {
      map.setCrosshair(false);
      if (tools.abandon()) return;
      if (app.view.tool === "segments" && app.drawing?.segments.clear()) return;
      if (app.view.selected.size) app.select([], false);
      else app.setTool("select");
    },
    back: () => tools.back() || (app.view.tool === "segments" && (app.drawing?.segments.back() ?? false)),
    remove: () => {
      if (!editor.chosen) return app.deleteSelected();
      app.editing();
      const done = editor.removeCorner();
      if (done) app.edited(done.geometry, done.verb);
      else app.refuse("A polygon needs at least three corners.");
    },
    undo: () => app.undo(),
    redo: () => app.redo(),
    step: (by) => app.step(by),
    corner: (by) => {
      if (!editor.geometry) return false;
      editor.step(by);
      app.redraw();
      return true;
    },
    nudge: (x, y) => {
      if (!editor.geometry || !app.mayEdit) return false;
      app.editing();
      const scale = map.samples.scale();
      const done = editor.nudge([x / scale, y / scale]);
      if (done) app.edited(done.geometry, done.verb);
      return true;
    },
    pan: (x, y) => {
      map.setCrosshair(true);
      map.map.panBy([x * PAN_PX, y * PAN_PX], { animate: false });
      app.redraw();
    },
    zoom: (by) => void map.map.setZoom(map.map.getZoom() + by),
    fitSelected: () => app.fitSelected(),
    fitAll: () => imagery.own.bounds && map.fit(imagery.own.bounds),
    flick: () => imagery.flick(true) || offerDates(app),
    swipe: () => {
      if (!imagery.view.second) return offerDates(app);
      imagery.choose({ swipe: !imagery.view.choice.swipe });
      return true;
    },
    copyForward: () => copying.mayCopy && (copying.begin() || offerDates(app)),
    offset: (x, y) => imagery.nudge(x, y),
    placePoint: () => {
      if (app.view.tool === "select") return true; // a held space bar pans; the page must not scroll
      map.setCrosshair(true);
      tools.place(map.centre());
      return true;
    },
    toggle: (what) => {
      if (what === "labels") app.set({ labelsHidden: !app.view.labelsHidden });
      else if (what === "snapping") app.set({ snapping: !app.view.snapping });
      else if (what === "panel") app.set({ panel: !app.view.panel });
      else app.set({ open: "help" });
    },
  });
}
