// What the form sends, and whether it can: no DOM, no network.
import type { Extent, NewConfig, Package, Position, Settings } from "./types";

export interface Choice {
  imagery: string;
  package: string;
  extent: Extent | null;
  settings: Settings;
  name: string;
}

export interface Body {
  imagery: string;
  package: string;
  extent: Extent | null;
  settings: Partial<Settings>;
  name: string;
}

export interface Verdict {
  valid: boolean;
  reason: string;
}

/** The threshold at which a detector did best on its validation chips, else the site's default. */
export function settingsFor(chosen: Package | undefined, config: NewConfig): Settings {
  const defaults = config.defaults[chosen?.task ?? "classify_pixels"];
  const best = chosen?.metrics["threshold"];
  return chosen?.task === "detect_objects" && typeof best === "number" ? { ...defaults, threshold: Number(best.toFixed(2)) } : defaults;
}

/** The choice with which the page opens: what the address asks for, else the newest. */
export function firstChoice(config: NewConfig): Choice {
  const asked = config.packages.find((row) => row.id === config.chosen.package);
  const imagery =
    config.imagery.find((row) => row.id === config.chosen.imagery) ??
    config.imagery.find((row) => row.project === asked?.project) ??
    config.imagery[0];
  const chosen = asked ?? config.packages.find((row) => row.project === imagery?.project) ?? config.packages[0];
  return { imagery: imagery?.id ?? "", package: chosen?.id ?? "", extent: null, settings: settingsFor(chosen, config), name: "" };
}

/** Say whether a number setting is in its range. */
export function check(settings: Settings): Verdict {
  const within = (value: number | null, low: number, high: number): boolean =>
    value !== null && Number.isFinite(value) && value >= low && value <= high;
  if (!within(settings.threshold, 0, 1)) return { valid: false, reason: "The threshold is a number from 0 to 1." };
  if (!within(settings.max_overlap, 0, 1)) return { valid: false, reason: "The overlap is a number from 0 to 1." };
  if (!within(settings.min_area_m2, 0, 1e9)) return { valid: false, reason: "The smallest area is 0 or more." };
  return { valid: true, reason: "" };
}

/** Return the body of a start; only settings that the task knows. */
export function bodyOf(choice: Choice, task: Package["task"]): Body {
  const { threshold, max_overlap, polygons, min_area_m2, stitch } = choice.settings;
  const settings = task === "detect_objects" ? { threshold, max_overlap } : { threshold, stitch, polygons, min_area_m2 };
  return { imagery: choice.imagery, package: choice.package, extent: choice.extent, settings, name: choice.name.trim() };
}

/** Return the polygon of some corners; null for fewer than three different ones. */
export function polygonOf(corners: readonly Position[]): Extent | null {
  const ring = corners.filter(([lon, lat], at) => at === 0 || lon !== corners[at - 1]?.[0] || lat !== corners[at - 1]?.[1]);
  const [first] = ring;
  if (!first || ring.length < 3) return null;
  return { type: "Polygon", coordinates: [[...ring, first]] };
}

/** Return a box [w, s, e, n] as polygon. */
export function boxOf([west, south, east, north]: readonly [number, number, number, number]): Extent {
  return {
    type: "Polygon",
    coordinates: [
      [
        [west, south],
        [east, south],
        [east, north],
        [west, north],
        [west, south],
      ],
    ],
  };
}
