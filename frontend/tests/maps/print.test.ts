import { expect, test } from "vitest";
import { legendLines, roundLength } from "../../src/maps/print-legend";
import { pdfOf } from "../../src/maps/pdf";
import { lookAt, momentsOf } from "../../src/maps/time-bar";
import { fitting } from "../../src/maps/swipe";
import type { LayerRow } from "../../src/maps/types";

test("a PDF's table says where its objects begin, and its title is in every script", () => {
  const jpeg = new Uint8Array([0xff, 0xd8, 1, 2, 0xff, 0xd9]);
  const file = pdfOf({ jpeg, width_px: 10, height_px: 5, width_mm: 297, height_mm: 210, title: "Bäume 木" });
  const text = new TextDecoder("latin1").decode(file);
  const table = Number(/startxref\n(\d+)/.exec(text)?.[1]);
  expect(text.slice(table, table + 4)).toBe("xref");
  const starts = [...text.slice(table).matchAll(/(\d{10}) 00000 n/g)].map((found) => Number(found[1]));
  expect(starts.map((start) => text.slice(start, start + 7))).toEqual([1, 2, 3, 4, 5, 6].map((number) => `${number} 0 obj`));
  expect(text).toContain("/MediaBox [0 0 841.89 595.28]");
  expect(text).toContain("<feff004200e40075006d006500206728>");
});

test("a scale bar has a round length", () => {
  expect([9, 23, 740, 5000, 0.3].map(roundLength)).toEqual([5, 20, 500, 5000, 0.2]);
});

function scene(id: number, acquired_at: string | null, query = ""): LayerRow {
  const picture = { query, words: { bidx: ["1"], rescale: ["0,10"] }, ramp: [], problem: "" };
  const imagery = { id: `s${id}`, name: `Scene ${id}`, acquired_at, bands: [{ name: "red" }] };
  return { id, kind: "imagery", title: "", visible: true, opacity: 1, style: {}, group: "", origin: null, imagery, picture } as unknown as LayerRow;
}

const rows = [scene(1, "2020-06-01T10:00:00Z"), scene(2, "2019-06-01T12:00:00+02:00"), scene(3, null)];
const look = new Map(rows.map((row) => [row.id, { visible: true, opacity: 1, filter: {} }]));

test("a moment shows its own imagery, and what has no date", () => {
  const moments = momentsOf(rows);
  expect(moments).toEqual(["2019-06-01T12:00:00+02:00", "2020-06-01T10:00:00Z"]);
  expect([...lookAt(rows, look, "2019-06-01T10:00:00Z").values()].map((shown) => shown.visible)).toEqual([false, true, true]);
  expect(lookAt(rows, look, null)).toBe(look);
});

test("a comparison ends with its layers", () => {
  const compare = { mode: "swipe" as const, left: "s1", right: "s2", at: 0.5 };
  expect(fitting(compare, rows)).toBe(compare);
  expect(fitting(compare, rows.slice(1))).toBeNull();
});

test("the printed legend has the visible layers, the top one first, and the ramp of a styled scene", () => {
  const lines = legendLines([scene(1, null), scene(2, null, "bidx=1")], new Map([[2, { visible: true, opacity: 1, filter: {} }]]));
  expect(lines).toEqual([
    { kind: "title", text: "Scene 2" },
    { kind: "note", text: "red" },
    { kind: "ramp", colours: ["#000000", "#ffffff"], low: "0", high: "10" },
  ]);
});
