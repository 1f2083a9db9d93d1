// Every key of the page in one table: the handler and the `?` overlay both read it.

export interface Key {
  /** As people read them, for the overlay. */
  readonly shown: readonly string[];
  readonly label: string;
  readonly group: "Tools" | "Draw" | "Samples" | "Tasks" | "View";
  /** Whether the key pressed is this one. */
  readonly matches: (event: KeyboardEvent) => boolean;
  /** False: not for now, let it pass. */
  readonly run: (event: KeyboardEvent) => boolean | undefined;
}

export interface KeyActions {
  tool(name: "select" | "box" | "polygon"): void;
  nthClass(n: number): void;
  /** Close the polygon; false where there is none. */
  finish(): boolean;
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
}

const plain = (event: KeyboardEvent): boolean => !event.ctrlKey && !event.metaKey && !event.altKey;
const command = (event: KeyboardEvent): boolean => (event.ctrlKey || event.metaKey) && !event.altKey;
const letter = (name: string) => (event: KeyboardEvent): boolean => plain(event) && event.key.toLowerCase() === name;
const named = (...names: string[]) => (event: KeyboardEvent): boolean => plain(event) && names.includes(event.key);
const ARROWS: Readonly<Record<string, readonly [number, number]>> = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };
const done = (action: () => void) => (): undefined => {
  action();
};

/** The table of keys, in the order of the overlay. */
export function keyTable(actions: KeyActions): Key[] {
  const arrows = (event: KeyboardEvent, action: (x: number, y: number) => boolean | undefined): boolean | undefined => {
    const [x, y] = ARROWS[event.key] ?? [0, 0];
    return action(x, y);
  };
  return [
    { shown: ["V"], label: "Select, move, change corners", group: "Tools", matches: letter("v"), run: done(() => actions.tool("select")) },
    { shown: ["B"], label: "Draw boxes", group: "Tools", matches: letter("b"), run: done(() => actions.tool("box")) },
    { shown: ["P"], label: "Draw polygons", group: "Tools", matches: letter("p"), run: done(() => actions.tool("polygon")) },
    {
      shown: ["1", "…", "9", "0"], label: "Class to draw with, or of what is selected", group: "Tools",
      matches: (event) => plain(event) && /^[0-9]$/.test(event.key),
      run: (event) => void actions.nthClass((Number(event.key) + 9) % 10),
    },
    { shown: ["Enter"], label: "Close the polygon", group: "Draw", matches: named("Enter"), run: () => actions.finish() },
    { shown: ["Space"], label: "Put a corner under the crosshair (drawing without a mouse); hold it to pan", group: "Draw", matches: named(" "), run: () => actions.placePoint() },
    { shown: ["Backspace"], label: "Take the last corner back", group: "Draw", matches: named("Backspace"), run: () => actions.back() || void actions.remove() },
    { shown: ["Esc"], label: "Drop the drawing, the selection, the tool", group: "Draw", matches: named("Escape"), run: done(() => actions.escape()) },
    { shown: ["S"], label: "Snapping on or off (Ctrl while drawing: off)", group: "Draw", matches: letter("s"), run: done(() => actions.toggle("snapping")) },
    { shown: ["Ctrl", "Z"], label: "Undo your last step", group: "Samples", matches: (event) => command(event) && !event.shiftKey && event.key.toLowerCase() === "z", run: done(() => actions.undo()) },
    {
      shown: ["Ctrl", "Shift", "Z"], label: "Do it again (also Ctrl Y)", group: "Samples",
      matches: (event) => command(event) && (event.key.toLowerCase() === "y" || (event.shiftKey && event.key.toLowerCase() === "z")),
      run: done(() => actions.redo()),
    },
    { shown: ["Del"], label: "Delete the chosen corner, or the selected samples", group: "Samples", matches: named("Delete"), run: done(() => actions.remove()) },
    { shown: ["N"], label: "Next sample (Shift: previous)", group: "Samples", matches: letter("n"), run: (event) => void actions.step(event.shiftKey ? -1 : 1) },
    { shown: ["[", "]"], label: "Previous or next corner", group: "Samples", matches: named("[", "]"), run: (event) => actions.corner(event.key === "]" ? 1 : -1) },
    {
      shown: ["Alt", "Arrows"], label: "Move the corner or sample by a pixel (Shift: ten)", group: "Samples",
      matches: (event) => event.altKey && !event.ctrlKey && !event.metaKey && event.key in ARROWS,
      run: (event) => arrows(event, (x, y) => actions.nudge(x * (event.shiftKey ? 10 : 1), y * (event.shiftKey ? 10 : 1))),
    },
    { shown: ["F"], label: "Zoom to what is selected", group: "View", matches: (event) => letter("f")(event) && !event.shiftKey, run: done(() => actions.fitSelected()) },
    { shown: ["Shift", "F"], label: "Zoom to the whole imagery", group: "View", matches: (event) => letter("f")(event) && event.shiftKey, run: done(() => actions.fitAll()) },
    { shown: ["Arrows"], label: "Pan the map", group: "View", matches: (event) => plain(event) && event.key in ARROWS, run: (event) => arrows(event, (x, y) => void actions.pan(x, y)) },
    { shown: ["+", "−"], label: "Zoom", group: "View", matches: named("+", "=", "-", "_"), run: (event) => void actions.zoom(event.key === "+" || event.key === "=" ? 1 : -1) },
    { shown: ["H"], label: "Hide or show all samples", group: "View", matches: letter("h"), run: done(() => actions.toggle("labels")) },
    { shown: ["M"], label: "Fold the panel", group: "View", matches: letter("m"), run: done(() => actions.toggle("panel")) },
    { shown: ["?"], label: "This list", group: "View", matches: named("?"), run: done(() => actions.toggle("help")) },
  ];
}

function taken(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || /^(TEXTAREA|SELECT)$/.test(target.tagName)) return true;
  if (target instanceof HTMLInputElement) return target.type !== "checkbox" && target.type !== "radio";
  // A focused button answers these two itself; a focused list, tab or menu its arrows.
  if (target.closest("button, a, summary") && (key === "Enter" || key === " ")) return true;
  return key.startsWith("Arrow") && target.closest('[role="tablist"], [role="menu"], [role="listbox"]') !== null;
}

/** Listen for the keys; return what ends it. */
export function listenToKeys(table: readonly Key[], page: Document): () => void {
  const onKey = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.isComposing || taken(event.target, event.key) || page.querySelector("dialog[open]")) return;
    for (const key of table) {
      if (!key.matches(event)) continue;
      if (key.run(event) !== false) event.preventDefault();
      return;
    }
  };
  // Before Leaflet's own arrow keys, which the map would answer a second time.
  page.addEventListener("keydown", onKey, { capture: true });
  return () => page.removeEventListener("keydown", onKey, { capture: true });
}
