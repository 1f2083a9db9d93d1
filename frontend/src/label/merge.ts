// Three-way merge of one sample: what I changed, what they changed, since the state we both knew.

import { sameGeometry } from "./geometry";
import type { Field, Patch, Properties, Sample } from "./types";

/** My side of a merge: fields I set, or the deletion of the sample. */
export type Mine = { readonly kind: "update"; readonly patch: Patch } | { readonly kind: "delete" };

export type Merged =
  /** Theirs already holds what I wanted; nothing is left to save. */
  | { readonly kind: "nothing" }
  /** Apply `patch` (or the deletion) on theirs. */
  | { readonly kind: "clean"; readonly patch: Patch }
  | { readonly kind: "conflict"; readonly fields: readonly Field[] };

/** Return whether two samples say the same; versions and authors do not matter. */
export function sameContent(a: Sample, b: Sample): boolean {
  return a.classValue === b.classValue && sameGeometry(a.geometry, b.geometry) && sameValue(a.properties, b.properties);
}

/** Return whether two JSON values are equal, whatever the order of their keys. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [ka, kb] = [Object.keys(a), Object.keys(b)];
  return ka.length === kb.length && ka.every((key) => key in b && sameValue(Reflect.get(a, key), Reflect.get(b, key)));
}

/** Return what of `patch` differs from the sample. */
export function difference(sample: Sample, patch: Patch): Patch {
  const changed: { geometry?: Patch["geometry"]; classValue?: number | null; properties?: Properties; verified?: boolean } = {};
  if (patch.geometry && !sameGeometry(patch.geometry, sample.geometry)) changed.geometry = patch.geometry;
  if (patch.classValue !== undefined && patch.classValue !== sample.classValue) changed.classValue = patch.classValue;
  if (patch.properties && !sameValue(patch.properties, sample.properties)) changed.properties = patch.properties;
  if (patch.verified !== undefined && patch.verified !== sample.verified) changed.verified = patch.verified;
  return changed as Patch;
}

/** Return the sample with a patch applied. */
export function patched(sample: Sample, patch: Patch): Sample {
  return {
    ...sample,
    geometry: patch.geometry ?? sample.geometry,
    classValue: patch.classValue === undefined ? sample.classValue : patch.classValue,
    properties: patch.properties ?? sample.properties,
    // A person's change of anything accepts the sample; so does the server.
    verified: patch.verified ?? true,
  };
}

/**
 * Return how my change meets theirs.
 *
 * Class against geometry merges by itself, and so do different properties. The same field changed in two ways
 * is a conflict, as is a change of what the other deleted.
 *
 * @param base the sample as I saw it when I changed it.
 * @param theirs the sample as it is now; null where it was deleted.
 */
export function merge(base: Sample, mine: Mine, theirs: Sample | null): Merged {
  if (mine.kind === "delete") return mergeDelete(base, theirs);
  const patch = difference(base, mine.patch);
  if (!theirs) return Object.keys(patch).length ? { kind: "conflict", fields: ["existence"] } : { kind: "nothing" };
  const fields: Field[] = [];
  if (patch.geometry && !sameGeometry(base.geometry, theirs.geometry) && !sameGeometry(patch.geometry, theirs.geometry)) fields.push("geometry");
  if (patch.classValue !== undefined && base.classValue !== theirs.classValue && patch.classValue !== theirs.classValue) fields.push("class");
  const properties = patch.properties && mergeProperties(base.properties, patch.properties, theirs.properties, "ask");
  if (properties === null) fields.push("properties");
  if (fields.length) return { kind: "conflict", fields };
  const left = difference(theirs, properties ? { ...patch, properties } : patch);
  return Object.keys(left).length ? { kind: "clean", patch: left } : { kind: "nothing" };
}

function mergeDelete(base: Sample, theirs: Sample | null): Merged {
  if (!theirs) return { kind: "nothing" };
  return sameContent(base, theirs) ? { kind: "clean", patch: {} } : { kind: "conflict", fields: ["existence"] };
}

/** Return what makes theirs into mine where I changed something, but for the fields left to them. */
export function overruling(base: Sample, mine: Sample, theirs: Sample, leave: readonly Field[]): Patch {
  const { geometry, classValue, properties } = difference(base, mine);
  const merged = properties && mergeProperties(base.properties, properties, theirs.properties, "mine");
  return difference(theirs, {
    ...(geometry && !leave.includes("geometry") ? { geometry } : {}),
    ...(classValue !== undefined && !leave.includes("class") ? { classValue } : {}),
    ...(merged && !leave.includes("properties") ? { properties: merged } : {}),
  });
}

/** Return theirs with my changed keys; a key changed in two ways is mine, or makes it null when one should ask. */
function mergeProperties(base: Properties, mine: Properties, theirs: Properties, clash: "ask" | "mine"): Properties | null {
  const merged: Record<string, unknown> = { ...theirs };
  for (const key of new Set([...Object.keys(base), ...Object.keys(mine)])) {
    if (sameValue(base[key], mine[key])) continue;
    if (clash === "ask" && !sameValue(base[key], theirs[key]) && !sameValue(mine[key], theirs[key])) return null;
    if (key in mine) merged[key] = mine[key];
    else Reflect.deleteProperty(merged, key);
  }
  return merged;
}
