import { expect, test } from "vitest";
import { boxOf, isBeingMade, moved, sameList, withMore } from "../../src/imagery/mosaic";
import type { Scene } from "../../src/imagery/mosaic";

const scene = (id: string, bounds: Scene["bounds"] = null): Scene => ({
  id,
  name: id,
  url: `/imagery/${id}/`,
  acquired_at: null,
  gsd_m: 1,
  epsg: 4326,
  bounds,
  footprint: null,
});
const ids = (scenes: readonly Scene[]): string => scenes.map((one) => one.id).join("");
const LIST = [scene("a"), scene("b"), scene("c")];

test("a scene goes to another place and the others keep their order", () => {
  expect(ids(moved(LIST, 2, 0))).toBe("cab");
  expect(ids(moved(LIST, 0, 1))).toBe("bac");
  expect(ids(moved(LIST, 0, 3))).toBe("abc");
  expect(ids(moved(LIST, 5, 0))).toBe("abc");
});

test("scenes are added once, at the end", () => {
  expect(ids(withMore(LIST, [scene("b"), scene("d")]))).toBe("abcd");
});

test("lists are the same only in the same order", () => {
  expect(sameList(LIST, [...LIST])).toBe(true);
  expect(sameList(LIST, moved(LIST, 0, 1))).toBe(false);
  expect(sameList(LIST, LIST.slice(1))).toBe(false);
});

test("the box of scenes on both sides of the antimeridian is a small one", () => {
  expect(boxOf([scene("a", [178, -1, 179, 0]), scene("b", [-179, -2, -178, -1])])).toEqual([178, -2, 182, 0]);
  expect(boxOf(LIST)).toBeNull();
});

test.each([
  ["ready", 2, 2, false],
  ["building", 2, 2, true],
  ["ready", 2, 3, true],
  ["ready", 3, 2, false],
] as const)("a layer that is %s at version %i, of a list at version %i, is being made: %s", (state, version, list, told) => {
  expect(isBeingMade({ state, version }, { version: list })).toBe(told);
  expect(isBeingMade({ state, version }, null)).toBe(state === "building");
});
