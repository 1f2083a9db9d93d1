import { describe, expect, it } from "vitest";
import { merge, overruling, sameContent, sameValue } from "../../src/label/merge";
import type { Merged, Mine } from "../../src/label/merge";
import type { Sample } from "../../src/label/types";
import { sample, square } from "./make";

const base = sample("a", { properties: { roof: "tin", floors: 1 } });
const moved = square(0.5, 0);
const grown = square(0, 0, 2);
const update = (patch: Extract<Mine, { kind: "update" }>["patch"]): Mine => ({ kind: "update", patch });
const clean = (patch: object): Merged => ({ kind: "clean", patch }) as Merged;
const conflict = (...fields: string[]): Merged => ({ kind: "conflict", fields }) as Merged;
const nothing: Merged = { kind: "nothing" };

const TABLE: [name: string, mine: Mine, theirs: Partial<Sample> | null, expected: Merged][] = [
  ["they changed nothing", update({ classValue: 2 }), {}, clean({ classValue: 2 })],
  ["class against geometry merges by itself", update({ classValue: 2 }), { geometry: moved }, clean({ classValue: 2 })],
  ["geometry against class merges by itself", update({ geometry: moved }), { classValue: 3 }, clean({ geometry: moved })],
  ["two geometries ask", update({ geometry: moved }), { geometry: grown }, conflict("geometry")],
  ["the same geometry twice is nothing to save", update({ geometry: moved }), { geometry: moved }, nothing],
  ["two classes ask", update({ classValue: 2 }), { classValue: 3 }, conflict("class")],
  ["the same class twice is nothing to save", update({ classValue: 2 }), { classValue: 2 }, nothing],
  ["geometry and class both ask", update({ geometry: moved, classValue: 2 }), { geometry: grown, classValue: 3 }, conflict("geometry", "class")],
  ["my geometry clashes, my class does not: ask", update({ geometry: moved, classValue: 2 }), { geometry: grown }, conflict("geometry")],
  ["different properties merge by themselves", update({ properties: { roof: "clay", floors: 1 } }), { properties: { roof: "tin", floors: 2 } }, clean({ properties: { roof: "clay", floors: 2 } })],
  ["a property I removed stays removed", update({ properties: { floors: 1 } }), { properties: { roof: "tin", floors: 2 } }, clean({ properties: { floors: 2 } })],
  ["one property in two ways asks", update({ properties: { roof: "clay", floors: 1 } }), { properties: { roof: "slate", floors: 1 } }, conflict("properties")],
  ["a change of nothing is nothing to save", update({ classValue: 1 }), { classValue: 3 }, nothing],
  ["my change of what they deleted asks", update({ classValue: 2 }), null, conflict("existence")],
  ["no change of what they deleted is nothing", update({ classValue: 1 }), null, nothing],
  ["my delete of what they left alone goes on", { kind: "delete" }, {}, clean({})],
  ["my delete of what they changed asks", { kind: "delete" }, { geometry: moved }, conflict("existence")],
  ["both deleted is nothing to save", { kind: "delete" }, null, nothing],
];

describe("three-way merge", () => {
  it.each(TABLE)("%s", (_name, mine, theirs, expected) => {
    expect(merge(base, mine, theirs && { ...base, ...theirs, version: 2 })).toEqual(expected);
  });

  it("takes a ring that starts elsewhere or runs the other way for the same shape", () => {
    const turned: GeoJSON.Polygon = { type: "Polygon", coordinates: [[[1, 1], [1, 0], [0, 0], [0, 1], [1, 1]]] };
    expect(sameContent(base, { ...base, geometry: turned })).toBe(true);
    expect(sameContent(base, { ...base, geometry: moved })).toBe(false);
  });

  it("compares JSON whatever the order of keys", () => {
    expect(sameValue({ a: 1, b: [1, { c: 2 }] }, { b: [1, { c: 2 }], a: 1 })).toBe(true);
    expect(sameValue({ a: 1 }, { a: 1, b: undefined })).toBe(false);
    expect(sameValue([1], { 0: 1 })).toBe(false);
  });

  it("keeps what only they changed when mine wins, and my other changes when theirs wins", () => {
    const mine = { ...base, geometry: moved, classValue: 2 };
    const theirs = { ...base, geometry: grown, properties: { roof: "clay", floors: 1 }, version: 2 };
    expect(overruling(base, mine, theirs, [])).toEqual({ geometry: moved, classValue: 2 });
    expect(overruling(base, mine, theirs, ["geometry"])).toEqual({ classValue: 2 });
  });
});
