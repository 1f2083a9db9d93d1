import { expect, test } from "vitest";
import { columnBuffers, featuresWith, packed, propertiesOf, readerOf, valueAt } from "../../src/ui/vector-columns";
import type { Value } from "../../src/ui/vector-columns";

test("values come out of a column as they went in, whatever their kind", () => {
  const kinds: [string, (Value | undefined)[]][] = [
    ["numbers", [1.5, undefined, -3, 0]],
    ["flags", [true, undefined, false]],
    ["texts", ["b", undefined, "äö", "ccc"]],
    ["mixed", ["", undefined, "b"]],
    ["mixed", [1, "one", true, undefined]],
  ];
  for (const [kind, values] of kinds) {
    const column = packed(values);
    expect(column.kind).toBe(kind);
    expect(values.map((_, index) => valueAt(column, index))).toEqual(values);
  }
});

test("a feature's properties are those that it has, read one by one or as an object", () => {
  const columns = new Map([["name", packed(["a", undefined])], ["score", packed([undefined, 0.5])]]);
  expect([0, 1].map((index) => propertiesOf(columns, index))).toEqual([{ name: "a" }, { score: 0.5 }]);
  const read = readerOf(columns);
  expect([0, 1].map((index) => [read(index)["name"], read(index)["score"], read(index)["none"]])).toEqual([["a", undefined, undefined], [undefined, 0.5, undefined]]);
  expect(columnBuffers(columns)).toHaveLength(2);
});

test("features are found by their text, few and many at once, and not where two texts meet", () => {
  const column = packed(["ab", "bc", undefined, "ab", "c"]);
  expect(featuresWith(column, new Set(["ab"]))).toEqual([0, 3]);
  expect(featuresWith(column, new Set(["bb", "bca", "a", ""]))).toEqual([]);
  expect(featuresWith(column, new Set(["c", "bc"]))).toEqual([1, 4]);
  const ids = Array.from({ length: 500 }, (_, index) => `feature-${index}`);
  const many = new Set(ids.filter((_, index) => index % 7 === 0));
  expect(featuresWith(packed(ids), many)).toEqual(ids.flatMap((id, index) => (many.has(id) ? [index] : [])));
  expect(featuresWith(packed([1, 2]), many)).toEqual([]);
});
