import { expect, test, vi } from "vitest";
import { fromWorld } from "../../src/label/geometry";
import { blockFrom, segmentAt, segmentsAlong, withSegments } from "../../src/label/segments/block";
import type { Blocks, SegmentRest } from "../../src/label/segments/rest";
import { Segments } from "../../src/label/segments/segments";
import type { SegmentState } from "../../src/label/segments/segments";
import type { Position } from "../../src/label/types";

// Two blocks of 4 x 4 pixels beside each other, turned a little, as those of another CRS are.
const corner = (col: number, row: number): Position => [0.5 + (col + 0.1 * row) * 1e-6, 0.4 + (row - 0.1 * col) * 1e-6];
const lonlat = (col: number, row: number): Position => fromWorld(corner(col, row));
const LABELS = Uint16Array.from([1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 0]);
const places = [0, 1].map((col) => ({ row: 0, col, corners: [lonlat(4 * col, 0), lonlat(4 * col + 4, 0), lonlat(4 * col, 4)] as const }));
const blocks = places.map((place) => blockFrom({ ...place, corners: [...place.corners] }, 4, LABELS));

test("the segment under a place is found in the pixels of its block", () => {
  expect(segmentAt(blocks, corner(0.5, 0.5))).toEqual({ block: "0 0", number: 1 });
  expect(segmentAt(blocks, corner(6.5, 3.2))).toEqual({ block: "0 1", number: 4 });
  expect(segmentAt(blocks, corner(7.5, 3.5))).toBeNull(); // no data there
  expect(segmentAt(blocks, corner(8.5, 1))).toBeNull();
});

test("a fast stroke leaves no segment out between two of its points", () => {
  const found = segmentsAlong(blocks, [corner(0.5, 0.5), corner(7.5, 0.5)], 0.5e-6);
  expect(new Set(found.map(({ block, number }) => `${block} ${number}`))).toEqual(new Set(["0 0 1", "0 0 2", "0 1 1", "0 1 2"]));
  const chosen = withSegments(new Map(), found, true);
  expect([...withSegments(chosen, [{ block: "0 0", number: 1 }, { block: "0 0", number: 2 }], false).keys()]).toEqual(["0 1"]);
});

function made(rest: Partial<SegmentRest> = {}): { segments: Segments; states: SegmentState[] } {
  const states: SegmentState[] = [];
  const told: Blocks = { version: 1, block_px: 4, size_m: 8, blocks: places.map((place) => ({ ...place, corners: [...place.corners] })) };
  const segments = new Segments({
    rest: { blocks: () => Promise.resolve(told), labels: () => Promise.resolve(LABELS), union: () => Promise.resolve({ type: "Point", coordinates: [0, 0] }), ...rest },
    bounds: () => [0, 0, 1, 1], onState: (state) => states.push(state), redraw: () => undefined,
  });
  return { segments, states };
}

test("strokes choose, take away where they begin on what is chosen, and are taken back one by one", async () => {
  const union = vi.fn<SegmentRest["union"]>().mockResolvedValue({ type: "Point", coordinates: [0, 0] });
  const { segments, states } = made({ union });
  await segments.look();
  expect(states.at(-1)).toMatchObject({ loading: false, sizeM: 8 });
  segments.stroke([corner(0.5, 0.5), corner(3.5, 0.5)]);
  expect(states.at(-1)?.chosen).toBe(2);
  segments.stroke([corner(3.5, 0.5)]);
  expect(states.at(-1)?.chosen).toBe(1);
  segments.back();
  expect(states.at(-1)?.chosen).toBe(2);
  expect(segments.resize(1)).toBe(false);
  await segments.outline();
  expect(union).toHaveBeenCalledWith(1, new Map([["0 0", new Set([1, 2])]]));
  segments.taken();
  expect(segments.outline()).toBeNull();
  expect(segments.resize(1)).toBe(true);
});

test("too many segments in view are said, and a late answer for another size is passed over", async () => {
  const many = made({ blocks: () => Promise.reject(new Error("There are too many segments in view.")) });
  await many.segments.look();
  expect(many.states.at(-1)?.problem).toContain("too many");
  expect(many.segments.blocks).toEqual([]);
});
