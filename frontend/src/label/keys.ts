// Every key of the page in one table: the handler and the `?` overlay both read it.

import { nameOf } from "./bindings";
import type { Key, KeyGroup } from "./bindings";
import type { Tool } from "./sketches";

/** What a key does to the selected samples, or with what was copied or drawn last. */
export type Command =
  | "merge" | "square" | "simplify" | "fillHoles" | "separate" | "turnLeft" | "turnRight"
  | "copy" | "paste" | "again" | "selectAll" | "larger" | "smaller" | "keepClear" | "following" | "history";

export interface KeyActions {
  tool(name: Tool): void;
  command(name: Command): boolean | undefined;
  nthClass(n: number): void;
  /** Close the polygon, or select what lies under the crosshair; false where neither can be. */
  finish(): boolean;
  /** What lies under the crosshair is selected too, or no more; false while drawing. */
  pickToo(): boolean;
  escape(): void;
  /** Take the last point back; false where nothing is drawn. */
  back(): boolean;
  remove(): void;
  undo(): void;
  redo(): void;
  step(by: 1 | -1): void;
  corner(by: 1 | -1): boolean;
  /** CSS pixels, y downwards. */
  nudge(x: number, y: number): boolean;
  pan(x: number, y: number): void;
  zoom(by: 1 | -1): void;
  fitSelected(): void;
  fitAll(): void;
  placePoint(): boolean;
  toggle(what: "labels" | "snapping" | "panel" | "help"): void;
  /** The other date, while the key is held; false where there is none. */
  flick(): boolean;
  swipe(): boolean;
  /** Copy samples into the label set of the other date; false where that is not for this person. */
  copyForward(): boolean;
  /** Move the imagery, in its pixels, y downwards. */
  offset(x: number, y: number): boolean;
}

const ARROWS: Readonly<Record<string, readonly [number, number]>> = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };
const TOOLS: readonly (readonly [tool: Tool, key: string, label: string])[] = [
  ["select", "V", "Select, move, change corners"],
  ["box", "B", "Draw boxes"],
  ["rectangle", "R", "Draw rectangles at any angle, by three points"],
  ["polygon", "P", "Draw polygons"],
  ["freehand", "D", "Draw freehand"],
  ["circle", "O", "Draw circles"],
  ["line", "L", "Draw lines"],
  ["point", "I", "Put points"],
  ["brush", "W", "Paint with the brush"],
  ["eraser", "E", "Rub out"],
  ["wand", "Z", "Find what is of one colour, by a click"],
  ["object", "Shift+B", "Find the object in a box"],
  ["segments", "Shift+Z", "Choose segments of the imagery; Enter makes one sample of them"],
  ["stamp", "Shift+S", "Stamp the last shape, click by click"],
];
const CHANGES: readonly (readonly [tool: Tool, key: string, label: string])[] = [
  ["split", "K", "Split by a line (the selected, or all it crosses)"],
  ["cut", "C", "Cut away, or cut a hole"],
  ["reshape", "X", "Reshape an outline by a line"],
];
const COMMANDS: readonly (readonly [command: Command, keys: readonly string[], group: KeyGroup, label: string])[] = [
  ["merge", ["J"], "Change", "Merge the selected samples"],
  ["square", ["Q"], "Change", "Make corners square"],
  ["simplify", ["G"], "Change", "Drop corners within a pixel of the imagery"],
  ["fillHoles", ["Shift+G"], "Change", "Fill holes"],
  ["separate", ["Shift+J"], "Change", "Make parts samples of their own"],
  ["turnLeft", [","], "Change", "Turn left by a degree (the selected, or the stamp)"],
  ["turnRight", ["."], "Change", "Turn right by a degree"],
  ["again", ["A"], "Draw", "The last shape again, under the pointer"],
  ["smaller", ["{"], "Draw", "Smaller brush or segments, stricter for the wand"],
  ["larger", ["}"], "Draw", "Larger brush or segments, looser for the wand"],
  ["keepClear", ["Shift+O"], "Draw", "Keep new areas clear of others, on or off"],
  ["following", ["Y"], "Draw", "Follow a neighbour's outline between two snapped corners, on or off"],
  ["copy", ["Ctrl+C"], "Samples", "Copy the selected samples"],
  ["paste", ["Ctrl+V"], "Samples", "Paste them under the pointer"],
  ["selectAll", ["Ctrl+A"], "Samples", "Select all samples in view"],
  ["history", ["Shift+H"], "Samples", "History of the selected sample"],
];

/** The table of keys, in the order of the overlay. */
export function keyTable(actions: KeyActions): Key[] {
  const does = (action: () => void) => (): undefined => {
    action();
  };
  const arrow = (event: KeyboardEvent, action: (x: number, y: number) => boolean | undefined): boolean | undefined => action(...(ARROWS[event.key] ?? [0, 0]));
  const arrows = (prefix: string): string[] => Object.keys(ARROWS).map((name) => prefix + name);
  const tools = (list: typeof TOOLS, group: KeyGroup): Key[] =>
    list.map(([tool, key, label]) => ({ id: `tool.${tool}`, keys: [key], label, group, run: does(() => actions.tool(tool)) }));
  const key = (id: string, keys: readonly string[], group: KeyGroup, label: string, run: Key["run"]): Key => ({ id, keys, group, label, run });
  return [
    ...tools(TOOLS, "Tools"),
    {
      id: "class", keys: ["1", "2", "3", "4", "5", "6", "7", "8", "9", "0"], shown: ["1", "…", "0"], group: "Tools",
      label: "Class to draw with, or of what is selected", run: (event) => void actions.nthClass((Number(event.key) + 9) % 10),
    },
    ...tools(CHANGES, "Change"),
    key("finish", ["Enter"], "Draw", "Close the polygon, end the line; not drawing: select what lies under the crosshair", () => actions.finish()),
    key("pickToo", ["Shift+Enter"], "Samples", "Select what lies under the crosshair too, or let go of it", () => actions.pickToo()),
    key("placePoint", ["Space"], "Draw", "Put a corner under the crosshair (drawing without a mouse); hold it to pan", () => actions.placePoint()),
    key("back", ["Backspace"], "Draw", "Take the last corner back", () => actions.back() || void actions.remove()),
    key("escape", ["Esc"], "Draw", "Drop the drawing, the selection, the tool", does(() => actions.escape())),
    key("snapping", ["S"], "Draw", "Snapping on or off (Ctrl while drawing: off)", does(() => actions.toggle("snapping"))),
    ...COMMANDS.map(([command, keys, group, label]) => key(command, keys, group, label, () => actions.command(command))),
    key("copyForward", ["Shift+D"], "Samples", "Copy to the other date (the selected, or all in view)", () => actions.copyForward()),
    key("undo", ["Ctrl+Z"], "Samples", "Undo your last step", does(() => actions.undo())),
    key("redo", ["Ctrl+Shift+Z", "Ctrl+Y"], "Samples", "Do it again", does(() => actions.redo())),
    key("remove", ["Del"], "Samples", "Delete the chosen corner, or the selected samples", does(() => actions.remove())),
    key("next", ["N"], "Samples", "Next sample", does(() => actions.step(1))),
    key("previous", ["Shift+N"], "Samples", "Previous sample", does(() => actions.step(-1))),
    key("previousCorner", ["["], "Samples", "Previous corner", () => actions.corner(-1)),
    key("nextCorner", ["]"], "Samples", "Next corner", () => actions.corner(1)),
    {
      id: "nudge", keys: [...arrows("Alt+"), ...arrows("Alt+Shift+")], shown: ["Alt", "Arrows"], group: "Samples", label: "Move the corner or sample by a pixel (Shift: ten)",
      run: (event) => arrow(event, (x, y) => actions.nudge(x * (event.shiftKey ? 10 : 1), y * (event.shiftKey ? 10 : 1))),
    },
    key("fitSelected", ["F"], "View", "Zoom to what is selected", does(() => actions.fitSelected())),
    key("fitAll", ["Shift+F"], "View", "Zoom to the whole imagery", does(() => actions.fitAll())),
    { id: "pan", keys: arrows(""), shown: ["Arrows"], group: "View", label: "Pan the map", run: (event) => arrow(event, (x, y) => void actions.pan(x, y)) },
    key("flick", ["U"], "View", "Hold: the other date of the imagery", () => actions.flick()),
    key("swipe", ["Shift+U"], "View", "Part the map between both dates, on or off", () => actions.swipe()),
    {
      id: "offset", keys: [...arrows("Ctrl+"), ...arrows("Ctrl+Shift+")], shown: ["Ctrl", "Arrows"], group: "View", label: "Move the imagery by one of its pixels (Shift: ten); then keep or drop it",
      run: (event) => arrow(event, (x, y) => actions.offset(x * (event.shiftKey ? 10 : 1), y * (event.shiftKey ? 10 : 1))),
    },
    key("zoomIn", ["+", "="], "View", "Zoom in", does(() => actions.zoom(1))),
    key("zoomOut", ["-", "_"], "View", "Zoom out", does(() => actions.zoom(-1))),
    key("labels", ["H"], "View", "Hide or show all samples", does(() => actions.toggle("labels"))),
    key("panel", ["M"], "View", "Fold the panel", does(() => actions.toggle("panel"))),
    key("help", ["?"], "View", "This list", does(() => actions.toggle("help"))),
  ];
}

function taken(target: EventTarget | null, { key, ctrlKey, metaKey, altKey }: KeyboardEvent): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || /^(TEXTAREA|SELECT)$/.test(target.tagName)) return true;
  if (target instanceof HTMLInputElement) return target.type !== "checkbox" && target.type !== "radio";
  // A focused button answers these two itself (not Ctrl+Enter); a focused list, tab, menu or divider its arrows.
  if (target.closest("button, a, summary") && (key === "Enter" || key === " ") && !(ctrlKey || metaKey || altKey)) return true;
  return key.startsWith("Arrow") && target.closest('[role="tablist"], [role="menu"], [role="listbox"], [role="slider"]') !== null;
}

/** Listen for the keys; return what ends it. */
export function listenToKeys(table: readonly Key[], page: Document): () => void {
  const onKey = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.isComposing || taken(event.target, event) || page.querySelector("dialog[open]")) return;
    const name = nameOf(event);
    // Several may share a key at different times; the first that does not pass has it.
    if (table.some(({ keys, run }) => keys.includes(name) && run(event) !== false)) event.preventDefault();
  };
  // Before Leaflet's own arrow keys, which the map would answer a second time.
  page.addEventListener("keydown", onKey, { capture: true });
  return () => page.removeEventListener("keydown", onKey, { capture: true });
}
