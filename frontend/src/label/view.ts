// All that the panels and the map show.

import type { AppOptions } from "./app";
import { NO_SEGMENTS } from "./segments/segments";
import type { SegmentState } from "./segments/segments";
import { rightsOf } from "./rights";
import type { Rights } from "./rights";
import { EMPTY } from "./store";
import type { State } from "./store";
import type { Connection } from "./sync";
import type { Tool } from "./sketches";
import type { Cursor, Geometry, Id, Member } from "./types";
import type { History } from "./undo";

export type PanelTab = "classes" | "samples" | "history" | "review" | "tasks" | "imagery";
export type Open = "none" | "help" | "schema" | "import" | "export" | "suggest";

/** All that the panels and the map show. */
export interface View {
  readonly doc: State;
  /** What this person may do here and now. */
  readonly rights: Rights;
  /** This person could draw when the page was opened, and may not any more. */
  readonly lowered: boolean;
  readonly tool: Tool;
  readonly currentClass: number | null;
  readonly selected: ReadonlySet<Id>;
  readonly hiddenClasses: ReadonlySet<number | null>;
  readonly labelsHidden: boolean;
  readonly snapping: boolean;
  /** Between two snapped corners a neighbour's outline is followed. */
  readonly following: boolean;
  /** New areas leave out what others cover. */
  readonly keepClear: boolean;
  /** Radius of brush and eraser, screen pixels. */
  readonly brushPx: number;
  /** How far a colour may be from the clicked one for the wand, 0 to 1. */
  readonly tolerance: number;
  /** Segments in view and chosen, while that tool is used. */
  readonly segments: SegmentState;
  /** An outline is being found on the server. */
  readonly finding: boolean;
  /** The shape drawn or copied last. */
  readonly stamp: Geometry | null;
  /** A shape of the past, shown over the map. */
  readonly preview: Geometry | null;
  readonly connection: Connection;
  readonly members: readonly Member[];
  readonly cursors: readonly Cursor[];
  readonly history: History;
  readonly tab: PanelTab;
  readonly open: Open;
  /** The panel is unfolded (on a phone: the sheet is up). */
  readonly panel: boolean;
  readonly loading: boolean;
  /** Changes that the server did not take and that are looked at later, by operation. */
  readonly aside: ReadonlySet<Id>;
  /** Of a large layer, of which only a part is loaded: the server's counts and areas by class. */
  readonly totals: ReadonlyMap<number | null, Total> | null;
}

export interface Total {
  readonly count: number;
  readonly areaM2: number;
  /** Of lines. */
  readonly lengthM: number;
  /** Samples that are points. */
  readonly points: number;
}

export type SaveState = "saved" | "saving" | "offline" | "conflict" | "problem" | "refused" | "memory";

/** The page before anything is loaded. */
export function firstView(options: AppOptions): View {
  const first = options.classes.find(({ retired }) => !retired);
  return {
    doc: { ...EMPTY, classes: options.classes },
    rights: rightsOf(options.role),
    lowered: false,
    tool: "select",
    currentClass: first?.value ?? null,
    selected: new Set(),
    hiddenClasses: new Set(),
    labelsHidden: false,
    snapping: true,
    following: true,
    keepClear: false,
    brushPx: 14,
    tolerance: 0.12,
    segments: NO_SEGMENTS,
    finding: false,
    stamp: null,
    preview: null,
    connection: "connecting",
    members: [],
    cursors: [],
    history: options.history,
    tab: "classes",
    open: "none",
    panel: options.wide,
    loading: true,
    aside: new Set(),
    totals: null,
  };
}

/** How things stand with saving, in one word; `durable`: what waits is kept on disk. */
export function savingOf({ doc, connection }: View, durable: boolean): SaveState {
  if (connection === "refused") return "refused";
  if (doc.conflicts.length) return "conflict";
  if (doc.problems.length) return "problem";
  if (!navigator.onLine || (connection !== "live" && doc.seq < 0)) return "offline";
  if (doc.pending.length) return connection === "offline" ? "offline" : "saving";
  return connection === "offline" ? "offline" : durable ? "saved" : "memory";
}
