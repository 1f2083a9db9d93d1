// Deciding between two versions: what can be taken, what is left, what comes next. Pure.

import type { Decision, Difference, Take } from "./types";

export type Decisions = ReadonlyMap<string, Decision>;

/** Whether a difference offers this: what somebody did not draw cannot be taken. */
export function offers({ a, b }: Difference, take: Take): boolean {
  if (take === "a") return a !== null;
  if (take === "b") return b !== null;
  return take !== "both" || (a !== null && b !== null);
}

/** What holds for a difference: the decision, and for what both drew alike the first one's version. */
export function decisionOf(one: Difference, decisions: Decisions): Decision | null {
  return decisions.get(one.key) ?? (one.what === "agreed" ? { take: "a" } : null);
}

/** How many have to be decided and are not. */
export function undecided(all: readonly Difference[], decisions: Decisions): number {
  return all.filter((one) => decisionOf(one, decisions) === null).length;
}

/** The next one to decide after `key`, around the end; the same again where nothing is left. */
export function nextOpen(all: readonly Difference[], decisions: Decisions, key: string | null): string | null {
  const from = all.findIndex((one) => one.key === key);
  for (let step = 1; step <= all.length; step += 1) {
    const one = all[(from + step) % all.length];
    if (one && decisionOf(one, decisions) === null) return one.key;
  }
  return key;
}

/** The one before or after in the list; the first where none is chosen. */
export function neighbour(all: readonly Difference[], key: string | null, by: 1 | -1): string | null {
  if (!all.length) return null;
  const at = all.findIndex((one) => one.key === key);
  const to = at < 0 ? 0 : Math.min(all.length - 1, Math.max(0, at + by));
  return all[to]?.key ?? null;
}

/** What is sent. */
export function bodyOf(decisions: Decisions): { decisions: Record<string, Decision> } {
  return { decisions: Object.fromEntries(decisions) };
}
