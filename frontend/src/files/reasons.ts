// Why features of a file were left out, each reason once. Pure.

import { number } from "../ui/format";
import type { ImportReport } from "./types";

/** So many features are named for a reason, and so many reasons are told. */
const [NAMED, REASONS] = [5, 8];

/** The reasons, each with the places in the file of the first features that it kept out: "48, 77, 78". */
export function reasonsOf({ examples }: Pick<ImportReport, "examples">): (readonly [reason: string, features: string])[] {
  const found = new Map<string, number[]>();
  for (const { index, reason } of examples) found.set(reason, [...(found.get(reason) ?? []), index + 1]);
  return [...found].slice(0, REASONS).map(([reason, places]) => [
    reason, `${places.slice(0, NAMED).map((place) => number(place)).join(", ")}${places.length > NAMED ? " …" : ""}`,
  ]);
}
