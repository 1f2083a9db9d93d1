// How one person sees the imagery of one label set: kept in their browser, across reloads. Pure.

import type { ImageryStyle } from "../../look/picture";
import type { Id } from "../types";

export interface Choice {
  /** 0 to 1; brightness 1 is as it is. */
  readonly opacity: number;
  readonly brightness: number;
  readonly style: ImageryStyle;
  /** Imagery of another date over the same place. */
  readonly second: Id | null;
  readonly secondStyle: ImageryStyle;
  /** Both are seen, parted by a divider. */
  readonly swipe: boolean;
  /** Where the divider stands, 0 to 1. */
  readonly at: number;
}

export const FIRST: Choice = { opacity: 1, brightness: 1, style: {}, second: null, secondStyle: {}, swipe: false, at: 0.5 };

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function between(value: unknown, low: number, high: number, otherwise: number): number {
  return typeof value === "number" && value >= low && value <= high ? value : otherwise;
}

function styleFrom(value: unknown): ImageryStyle {
  const { rendering, words } = record(value);
  if (typeof rendering === "string" && rendering) return { rendering };
  const lists = Object.entries(record(words)).filter((entry): entry is [string, string[]] => Array.isArray(entry[1]) && entry[1].every((one) => typeof one === "string"));
  return lists.length ? { words: Object.fromEntries(lists) } : {};
}

/** Read what was stored; anything that is not understood is as it is first. */
export function choiceFrom(text: string | null): Choice {
  let found: unknown;
  try {
    found = JSON.parse(text ?? "{}");
  } catch {
    return FIRST;
  }
  const { opacity, brightness, style, second, secondStyle, swipe, at } = record(found);
  return {
    opacity: between(opacity, 0, 1, FIRST.opacity),
    brightness: between(brightness, 0, 2, FIRST.brightness),
    style: styleFrom(style),
    second: typeof second === "string" && second ? second : null,
    secondStyle: styleFrom(secondStyle),
    swipe: swipe === true,
    at: between(at, 0, 1, FIRST.at),
  };
}
