import { expect, test, vi } from "vitest";
import { ColumnStore } from "../../src/maps/column-store";
import { conditionText, graduatedRows } from "../../src/maps/legend-text";
import { draftOf, nameOf, queryOf, stretched, wordsOf } from "../../src/look/picture";
import { breaksOf, classOf, steps } from "../../src/maps/ramps";
import { neededFields, painter, shows, vectorStyle } from "../../src/maps/style";
import type { ColumnOf, FeatureStyle, Filter } from "../../src/maps/style";
import type { FeaturesRow } from "../../src/maps/types";

function row(style: FeatureStyle = {}): FeaturesRow {
  const classes = [{ value: 1, name: "Tree", colour: "#1b9e77" }];
  const features = { id: "f", name: "Trees", kind: "samples", state: "ready" as const, seq: 1, count: 3, bounds: null, classes, fields: [], attribution: "", tiles: "" };
  return { id: 5, title: "", visible: true, opacity: 1, style, group: "", origin: null, kind: "features", features };
}

const heights = new Map([[1, 4], [2, 12]]);
const column: ColumnOf = (field) => (field === "height" ? (properties) => heights.get(Number(properties["fid"])) : null);

test("features by a number have the colour of their step, and those without a value one of their own", () => {
  const paint = painter(row({ by: "graduated", field: "height", breaks: [5, 10], colours: ["#000001", "#000002", "#000003"] }), {}, column);
  expect([1, 2, 3].map((fid) => paint(1, { fid }))).toEqual(["#000001", "#000003", "#8a9591"]);
});

test("a filter hides by class, score and field without the tiles, and waits for a column that is on its way", () => {
  const shown = (filter: Filter, properties: Record<string, number>, value = 1): boolean => shows(filter, column)(value, properties);
  expect(shown({ hidden: [1] }, {})).toBe(false);
  expect(shown({ score: [0.5, null] }, { score: 0.4 })).toBe(false);
  expect(shown({ score: [0.5, null] }, {})).toBe(false);
  expect(shown({ fields: [{ field: "height", range: [10, null] }] }, { fid: 2 })).toBe(true);
  expect(shown({ fields: [{ field: "height", range: [10, null] }] }, { fid: 1 })).toBe(false);
  expect(shown({ fields: [{ field: "height", range: [null, null] }] }, { fid: 9 })).toBe(true);
  expect(shown({ fields: [{ field: "later", values: ["a"] }] }, { fid: 1 })).toBe(true);
});

test("a square that counts features is grey where a field decides, as nobody knows it", () => {
  const cell = { count: 12, score: 0.5 };
  const filter: Filter = { fields: [{ field: "height", range: [10, null] }] };
  expect(painter(row(), filter, column)(1, cell)).toBe("#8a9591");
  expect(painter(row(), {}, column)(1, cell)).toBe("#1b9e77");
  expect(painter(row(), { score: [0.6, null] }, column)(1, cell)).toBeNull();
});

test("the fields of a large layer are read from its tiles, and no column is asked for", () => {
  const asked = vi.spyOn(globalThis, "fetch");
  const store = new ColumnStore("m", () => undefined, () => undefined);
  const large = { ...row(), features: { ...row().features, count: 1_000_000 } };
  store.want(large, ["height"]);
  expect(asked).not.toHaveBeenCalled();
  expect(store.of(large)("height")?.({ "field:height": 3, height: 4 })).toBe(3);
  expect(store.of(large)("height")).toBe(store.of(large)("height"));
  expect(store.of(row())("height")).toBeNull();
});

test("class colours alone are drawn by class, which is quicker than by feature", () => {
  expect(vectorStyle(row(), { hidden: [1] }, column).paint).toBeUndefined();
  expect(vectorStyle(row({ by: "single" }), {}, column).paint).toBeDefined();
  expect(neededFields({ by: "graduated", field: "score", label: "height" }, { fields: [{ field: "age", values: [] }] })).toEqual(["height", "age"]);
});

test("breaks split equally by count or by width, and fall together where the values do", () => {
  const spread = { min: 1, max: 100, quantiles: { 4: [1, 2, 4] } };
  expect(breaksOf(spread, 4, "equal")).toEqual([25.8, 50.5, 75.3]);
  expect(breaksOf(spread, 4, "quantile")).toEqual([2, 4]);
  expect(breaksOf({ min: 7, max: 7, quantiles: {} }, 4, "equal")).toEqual([]);
  expect([0.5, 2, 3.9, 4].map((value) => classOf(value, [2, 4]))).toEqual([0, 1, 1, 2]);
  expect(steps("viridis", 5)).toEqual(["#440154", "#3b528b", "#21918c", "#5ec962", "#fde725"]);
});

test("the legend says the steps and the filter in words", () => {
  const style = { by: "graduated" as const, field: "score", breaks: [0.5], colours: ["#000000", "#ffffff"] };
  expect(graduatedRows(style).map((item) => item.text)).toEqual(["below 50 %", "50 % and more", "No value"]);
  expect(conditionText({ field: "height", range: [3, null] })).toBe("height from 3");
  expect(conditionText({ field: "species", values: ["Oak", "Ash"] })).toBe("species: Oak, Ash");
});

test("a style of imagery goes through the form and back, and into the tiles' address", () => {
  const words = { bidx: ["4", "3", "2"], rescale: ["0,100", "0,200", "0,300"] };
  const draft = draftOf({ words }, words);
  expect(draft).toMatchObject({ mode: "rgb", stretch: "hand", ranges: [[0, 100], [0, 200], [0, 300]] });
  expect(wordsOf(draft)).toEqual(words);
  expect(wordsOf({ ...draft, stretch: "percentile", numbers: [5, 95] })).toEqual({ bidx: ["4", "3", "2"], stretch: ["percentile,5,95"] });
  const index = draftOf({ words: { expression: ["(b4-b1)/(b4+b1)"], rescale: ["-1,1"], colormap_name: ["rdylgn"] } }, {});
  expect(queryOf({ words: wordsOf(index) })).toBe("expression=%28b4-b1%29%2F%28b4%2Bb1%29&rescale=-1%2C1&colormap_name=rdylgn");
  expect(queryOf({ rendering: "nir" })).toBe("rendering=nir");
  const toned = { ...draft, tone: { gamma: 1.4, contrast: 6, saturation: 0.5 } };
  expect(wordsOf(toned)["color_formula"]).toEqual(["gamma RGB 1.4, sigmoidal RGB 6 0.5, saturation 0.5"]);
  expect(draftOf({ words: wordsOf(toned) }, words).tone).toEqual(toned.tone);
  expect(nameOf("  Grün & nah ")).toBe("gru-n-nah");
});

test("handles stand where the server's stretch will put black and white", () => {
  const band = { min: 0, max: 10, mean: 4, std: 3, percentile_2: 0.2, percentile_98: 9.8, histogram: [[10, 0, 10], [0, 2, 4, 6]] as [number[], number[]] };
  expect(stretched("minmax", [], band)).toEqual([0, 10]);
  expect(stretched("stddev", [1], band)).toEqual([1, 7]);
  expect(stretched("stddev", [2], band)).toEqual([0, 10]);
  expect(stretched("percentile", [2, 98], band)).toEqual([0.2, 9.8]);
  expect(stretched("percentile", [25, 75], band)).toEqual([1, 5]);
});
