// What the tools know of the page, and what they are drawing.

import type { Verb } from "./editor";
import type { SketchTool, Tool } from "./sketches";
import type { Geometry, Id, Position } from "./types";

/** What is being drawn, in world coordinates. */
export type Draft =
  | { readonly kind: "sketch"; readonly tool: SketchTool; readonly points: readonly Position[]; readonly tip: Position | null }
  | { readonly kind: "lasso"; readonly from: Position; readonly to: Position };

/** What the tools need of the page. */
export interface Host {
  readonly tool: Tool;
  readonly mayEdit: boolean;
  readonly snapping: boolean;
  readonly selected: ReadonlySet<Id>;
  select(ids: readonly Id[], add: boolean): void;
  /** All points are there; false where nothing came of it and the drawing should stay. */
  finished(tool: SketchTool, points: readonly Position[], scale: number): boolean;
  /** Corners of a neighbour's outline between two places on it; empty where it is not to be followed. */
  between(from: Position, to: Position): readonly Position[];
  /** The open sample was changed by the editor. */
  edited(geometry: Geometry, verb: Verb): void;
  /** A drag of the open sample began: remember it as it is now. */
  editing(): void;
  refuse(reason: string): void;
  /** Where the pointer is; null: not on the map. */
  pointed(world: Position | null): void;
  redraw(): void;
  cursor(name: string): void;
}
