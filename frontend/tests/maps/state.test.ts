import { expect, test } from "vitest";
import { boundsOf, firstLook, formatHash, lookChanged, merged, moved, nextLook, parseHash, sameJson } from "../../src/maps/state";
import type { FeaturesRow, LayerRow, MapJson } from "../../src/maps/types";

function row(id: number, values: Partial<FeaturesRow> = {}, seq = 1): LayerRow {
  const features = {
    id: `f${id}`, name: `Layer ${id}`, kind: "samples", state: "ready" as const, seq, count: 0,
    bounds: null, classes: [], fields: [], attribution: "", tiles: "",
  };
  return { id, title: "", visible: true, opacity: 1, style: {}, group: "", origin: null, kind: "features", features, ...values };
}

const rows = [row(12), row(15), row(20, { visible: false })];

test("a link carries place, visible and hidden layers and opacities, and is read back the same", () => {
  const look = new Map([[12, { visible: true, opacity: 1, filter: {} }], [15, { visible: true, opacity: 0.4, filter: {} }], [20, { visible: false, opacity: 1, filter: {} }]]);
  const hash = formatHash({ zoom: 17.25, lat: 27.6301234, lon: 85.5213987 }, rows, look);
  expect(hash).toBe("#17.25/27.630123/85.521399/12,15:0.4,-20");
  const read = parseHash(hash);
  expect(read.place).toEqual({ zoom: 17.25, lat: 27.630123, lon: 85.521399 });
  expect(firstLook(rows, read)).toEqual(look);
});

test("layers that a link does not name, such as newer ones, come as saved", () => {
  expect(firstLook(rows, parseHash("")).get(20)).toEqual({ visible: false, opacity: 1, filter: {} });
  const look = firstLook([...rows, row(31, { opacity: 0.5 })], parseHash("#3/1/2/-12,15:0.4"));
  expect(look.get(12)?.visible).toBe(false);
  expect(look.get(15)).toEqual({ visible: true, opacity: 0.4, filter: {} });
  expect(look.get(20)?.visible).toBe(false);
  expect(look.get(31)).toEqual({ visible: true, opacity: 0.5, filter: {} });
});

test("nonsense in a link is left out", () => {
  expect(parseHash("#a/b/c").place).toBeNull();
  expect(parseHash("#3/95/2").place).toBeNull();
  expect(parseHash("#3/1/2/x,12:9,-4").layers).toEqual(new Map([[12, 1], [4, null]]));
  expect(parseHash("#//").place).toBeNull();
});

test("what the reader chose stays when the map comes anew, and new layers come as saved", () => {
  const look = nextLook([...rows, row(30, { opacity: 0.5 })], new Map([[12, { visible: false, opacity: 0.2, filter: {} }]]));
  expect(look.get(12)).toEqual({ visible: false, opacity: 0.2, filter: {} });
  expect(look.get(30)).toEqual({ visible: true, opacity: 0.5, filter: {} });
  expect(lookChanged(rows, look)).toBe(true);
  expect(lookChanged(rows, nextLook(rows, new Map()))).toBe(false);
});

test("the box of all layers leaves out those without one", () => {
  const boxed = (id: number, bounds: [number, number, number, number]): LayerRow => {
    const made = row(id) as FeaturesRow;
    return { ...made, features: { ...made.features, bounds } };
  };
  expect(boundsOf(rows)).toBeNull();
  expect(boundsOf([...rows, boxed(1, [1, 2, 3, 4]), boxed(2, [-1, 3, 2, 9])])).toEqual([-1, 2, 3, 9]);
});

test("an item moves to its new place and no further than the ends", () => {
  expect(moved([1, 2, 3], 0, 2)).toEqual([2, 3, 1]);
  expect(moved([1, 2, 3], 2, -5)).toEqual([3, 1, 2]);
});

test("a fresh map keeps the numbers that the socket gave, and takes those of new layers", () => {
  const shown = { layers: [row(1, {}, 5)] } as unknown as MapJson;
  const fresh = { name: "New", layers: [row(1, {}, 9), row(2, {}, 4)] } as unknown as MapJson;
  const seqs = merged(fresh, shown).layers.map((item) => (item.kind === "features" ? item.features.seq : null));
  expect(seqs).toEqual([5, 4]);
});

test("values of JSON are equal whatever the order of their keys", () => {
  expect(sameJson({ a: [1, { b: null }], c: "x" }, { c: "x", a: [1, { b: null }] })).toBe(true);
  expect(sameJson({ a: 1 }, { a: 1, b: 2 })).toBe(false);
  expect(sameJson([1, 2], [2, 1])).toBe(false);
  expect(sameJson({}, [])).toBe(false);
  expect(sameJson(null, {})).toBe(false);
});
