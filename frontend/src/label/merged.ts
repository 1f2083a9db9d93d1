// Says that changes of two people were put together: once for all that come at a time, after a while offline.

import { plural } from "../ui/format";
import type { Sample } from "./types";

const TOGETHER_MS = 400;

/** Return what hears of each sample that was merged. */
export function mergedSayer(say: (message: string) => void): (theirs: Sample) => void {
  const waiting = new Map<string, string>();
  return ({ id, updatedBy }) => {
    if (!waiting.size)
      setTimeout(() => {
        const names = [...new Set(waiting.values())];
        const who = names.length === 1 ? (names[0] ?? "Somebody") : "Colleagues";
        say(`${who} changed ${waiting.size === 1 ? "this sample" : plural(waiting.size, "sample")} too, in another way. Both changes are kept.`);
        waiting.clear();
      }, TOGETHER_MS);
    waiting.set(id, updatedBy ?? "Somebody");
  };
}
