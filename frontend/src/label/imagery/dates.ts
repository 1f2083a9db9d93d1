// When pictures were taken, as people say it. Pure.

import type { Scene } from "./rest";

/** When a picture was taken: "31 Aug 2020"; "" where nobody said. */
export function dayOf(scene: Pick<Scene, "acquired_at">): string {
  return scene.acquired_at === null ? "" : new Date(scene.acquired_at).toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
}

/** A scene in a list: its day and name. The day comes first: names of one place begin alike, and are cut at their ends. */
export function titleOf(scene: Pick<Scene, "name" | "acquired_at">): string {
  return [dayOf(scene), scene.name].filter(Boolean).join(", ");
}
