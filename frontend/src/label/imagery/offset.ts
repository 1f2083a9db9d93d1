// How far imagery is shown from where its file says. Pure.

import type { Id } from "../types";

export interface Offset {
  readonly imagery: Id;
  readonly east_m: number;
  readonly north_m: number;
  readonly note: string;
  /** 0: nobody set one yet. */
  readonly version: number;
  readonly set_by: string | null;
  readonly set_at: string | null;
  /** Web Mercator metres of a metre to the east and to the north. */
  readonly per_metre: readonly [x: number, y: number];
}

/** An offset that is being tried, by one person alone. */
export interface Draft {
  readonly imagery: Id;
  readonly east_m: number;
  readonly north_m: number;
}

/** Whether samples go where the imagery goes: they were drawn on it, or it is brought to them. */
export type Along = "move" | "stay";

export const MOST_M = 500;

/** Web Mercator metres by which the imagery is drawn beside its place. */
export function shiftOf({ per_metre: [x, y] }: Offset, { east_m, north_m }: Pick<Offset, "east_m" | "north_m">): readonly [x: number, y: number] {
  return [east_m * x, north_m * y];
}

/** A draft moved on; millimetres are enough, and 500 m the most. */
export function nudged(draft: Draft, east_m: number, north_m: number): Draft {
  const to = (from: number, by: number): number => Math.min(MOST_M, Math.max(-MOST_M, Math.round((from + by) * 1000) / 1000));
  return { ...draft, east_m: to(draft.east_m, east_m), north_m: to(draft.north_m, north_m) };
}

/** In words: "1.2 m E, 0.5 m S"; "" for none. */
export function saidOf({ east_m, north_m }: Pick<Offset, "east_m" | "north_m">): string {
  const part = (metres: number, plus: string, minus: string): string[] => {
    const rounded = Number(Math.abs(metres).toFixed(2));
    return rounded ? [`${rounded} m ${metres > 0 ? plus : minus}`] : [];
  };
  return [...part(east_m, "E", "W"), ...part(north_m, "N", "S")].join(", ");
}
