// The tools on the map, and what can be done with the selected samples.

import type { JSX } from "preact";
import { Icon, IconButton, Menu } from "../ui/components";
import type { IconName } from "../ui/components";
import { plural } from "../ui/format";
import type { App, View } from "./app";
import { withKey } from "./bindings";
import type { Key } from "./bindings";
import { shapeOfTool, takenByAny } from "./class-shapes";
import { asArea, hasHoles } from "./ops/clip";
import type { Command } from "./keys";
import { openProblems } from "./problem-card";
import type { Tool } from "./sketches";

interface Offered {
  readonly tool: Tool;
  readonly icon: IconName;
  readonly label: string;
}

const DRAW: readonly Offered[] = [
  { tool: "select", icon: "pointer", label: "Select and edit" },
  { tool: "box", icon: "box", label: "Draw boxes" },
  { tool: "polygon", icon: "polygon", label: "Draw polygons" },
  { tool: "rectangle", icon: "rectangle", label: "Draw rectangles at any angle" },
  { tool: "circle", icon: "circle", label: "Draw circles" },
  { tool: "freehand", icon: "freehand", label: "Draw freehand" },
  { tool: "line", icon: "line", label: "Draw lines" },
  { tool: "point", icon: "point", label: "Put points" },
  { tool: "brush", icon: "brush", label: "Paint" },
  { tool: "eraser", icon: "eraser", label: "Rub out" },
  { tool: "wand", icon: "wand", label: "Find what is of one colour" },
  { tool: "object", icon: "object", label: "Find the object in a box" },
  { tool: "segments", icon: "segments", label: "Choose segments" },
  { tool: "stamp", icon: "stamp", label: "Stamp the last shape" },
];
const CHANGE: readonly Offered[] = [
  { tool: "split", icon: "split", label: "Split by a line" },
  { tool: "cut", icon: "cut", label: "Cut away or cut a hole" },
  { tool: "reshape", icon: "reshape", label: "Reshape by a line" },
];

export interface ToolbarProps {
  readonly app: Pick<App, "mayEdit" | "set" | "setTool" | "fitSelected" | "deleteSelected">;
  readonly view: Pick<View, "doc" | "selected" | "tool" | "snapping" | "keepClear" | "labelsHidden">;
  readonly keys: readonly Key[];
  readonly onFitAll: () => void;
}

/** A tool whose shapes no class takes is not offered. */
function offers({ doc }: Pick<View, "doc">, tool: Tool): boolean {
  const shape = shapeOfTool(tool);
  return shape === null || takenByAny(doc.classes, shape);
}

/** The tools, standing on the map. */
export function Toolbar({ app, view, keys, onFitAll }: ToolbarProps): JSX.Element {
  const chosen = view.selected.size;
  const offered = (list: readonly Offered[]): JSX.Element[] =>
    list.filter(({ tool }) => tool === "select" || (app.mayEdit && offers(view, tool))).map(({ tool, icon, label }) => (
      <IconButton key={tool} label={withKey(label, keys, `tool.${tool}`)} icon={icon} pressed={view.tool === tool} onClick={() => app.setTool(tool)} />
    ));
  return (
    <div class={app.mayEdit ? "label-tools" : "label-tools few"} role="toolbar" aria-label="Tools" aria-orientation="vertical">
      {offered(DRAW)}
      {app.mayEdit && offered(CHANGE)}
      <hr />
      {app.mayEdit && (
        <>
          <IconButton label={withKey(view.snapping ? "Snapping is on" : "Snapping is off", keys, "snapping")} icon="magnet" pressed={view.snapping} onClick={() => app.set({ snapping: !view.snapping })} />
          <IconButton label={withKey(view.keepClear ? "New areas keep clear of others" : "New areas may lie over others", keys, "keepClear")} icon="clear" pressed={view.keepClear} onClick={() => app.set({ keepClear: !view.keepClear })} />
        </>
      )}
      <IconButton label={withKey(view.labelsHidden ? "Show samples" : "Hide samples", keys, "labels")} icon={view.labelsHidden ? "eye-off" : "eye"} pressed={view.labelsHidden} onClick={() => app.set({ labelsHidden: !view.labelsHidden })} />
      <IconButton label={chosen ? withKey("Zoom to selected", keys, "fitSelected") : withKey("Zoom to the imagery", keys, "fitAll")} icon="extent" onClick={() => (chosen ? app.fitSelected() : onFitAll())} />
      {app.mayEdit && <IconButton label={withKey("Delete selected", keys, "remove")} icon="trash" disabled={!chosen} onClick={() => app.deleteSelected()} />}
    </div>
  );
}

/** What can be done with what is selected; nothing while something is to be decided first. */
export function SelectionBar({ app, view, keys }: { app: App; view: View; keys: readonly Key[] }): JSX.Element | null {
  const { selected, doc, tool } = view;
  if (!selected.size || !app.mayEdit || tool !== "select" || doc.conflicts.length || openProblems(view).length) return null;
  const samples = app.chosen();
  const areas = samples.flatMap(({ geometry }) => asArea(geometry) ?? []);
  const run = (name: Command) => (): void => void app.drawing?.command(name);
  const button = (name: Command, icon: IconName, label: string): JSX.Element => <IconButton label={withKey(label, keys, name)} icon={icon} onClick={run(name)} />;
  const more = (name: Command, label: string): { label: string; onSelect: () => void } => ({ label: withKey(label, keys, name), onSelect: run(name) });
  return (
    <div class="label-selection" role="toolbar" aria-label="Selected samples">
      <span class="numeric small-text">{plural(selected.size, "sample")}</span>
      {areas.length > 1 && button("merge", "merge", "Merge")}
      {areas.length > 0 && button("square", "square", "Square corners")}
      {button("simplify", "simplify", "Simplify")}
      {button("copy", "copy", "Copy")}
      {selected.size === 1 && button("history", "history", "History")}
      <Menu
        label="More for the selected" small end
        items={[
          more("turnLeft", "Turn left"),
          more("turnRight", "Turn right"),
          ...(areas.some(hasHoles) ? [more("fillHoles", "Fill holes")] : []),
          ...(areas.some(({ type }) => type === "MultiPolygon") ? [more("separate", "Separate parts")] : []),
          { label: withKey("Delete", keys, "remove"), icon: "trash", danger: true, onSelect: () => app.deleteSelected() },
        ]}
      />
      <button type="button" class="icon-button small" aria-label="Select nothing (Esc)" title="Select nothing (Esc)" onClick={() => app.select([], false)}><Icon name="close" /></button>
    </div>
  );
}
