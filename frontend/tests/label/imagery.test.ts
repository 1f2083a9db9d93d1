import { expect, test, vi } from "vitest";
import { choiceFrom, FIRST } from "../../src/label/imagery/choice";
import { nudged, saidOf, shiftOf } from "../../src/label/imagery/offset";
import type { Offset } from "../../src/label/imagery/offset";
import type { ImageryRest, Scene } from "../../src/label/imagery/rest";
import { Imagery } from "../../src/label/imagery/state";
import { fileBox } from "../../src/samples/picture";
import { ApiError } from "../../src/ui/api";

const scene = (id: string): Scene => ({ id, name: `Scene ${id}`, tiles: "", version: 1, bounds: [0, 0, 1, 1], min_zoom: 0, max_zoom: 20, attribution: "", gsd_m: 0.5, dtype: "uint8", bands: [], acquired_at: null });
const offset = (change: Partial<Offset> = {}): Offset => ({ imagery: "own", east_m: 0, north_m: 0, note: "", version: 0, set_by: null, set_at: null, per_metre: [1.2, 1.25], ...change });

function made(rest: Partial<ImageryRest> = {}, mayOffset = true): { imagery: Imagery; said: string[]; stored: unknown[] } {
  const [said, stored]: [string[], unknown[]] = [[], []];
  const imagery = new Imagery({
    own: scene("own"), offsets: [offset()], choice: FIRST, mayOffset,
    rest: {
      look: () => Promise.resolve({ query: "", words: {}, problem: "" }),
      scene: (id) => Promise.resolve(scene(id)),
      scenes: () => Promise.resolve([]),
      offsets: () => Promise.resolve({ results: [offset()] }),
      keep: () => Promise.resolve({ results: [offset()] }),
      ...rest,
    },
    store: (choice) => stored.push(choice), say: (message) => said.push(message),
  });
  return { imagery, said, stored };
}

test("a stored choice is read, and what nobody understands is passed over", () => {
  const choice = { ...FIRST, opacity: 0.5, style: { words: { bidx: ["4", "3", "2"] } }, second: "b", swipe: true, at: 0.3 };
  expect(choiceFrom(JSON.stringify(choice))).toEqual(choice);
  expect(choiceFrom("{nonsense")).toEqual(FIRST);
  expect(choiceFrom(JSON.stringify({ opacity: 7, at: "left", second: 5, style: { words: { bidx: [1] } } }))).toEqual(FIRST);
});

test("an offset is said as people say it, and moves the picture on the map", () => {
  expect(saidOf({ east_m: 1.2, north_m: -0.504 })).toBe("1.2 m E, 0.5 m S");
  expect(saidOf({ east_m: 0.001, north_m: 0 })).toBe("");
  expect(shiftOf(offset(), { east_m: 2, north_m: -4 })).toEqual([2.4, -5]);
  expect(nudged({ imagery: "own", east_m: 499.9, north_m: 0.1 }, 0.3, 0.2)).toEqual({ imagery: "own", east_m: 500, north_m: 0.3 });
});

test("nudging goes by pixels of the imagery and is seen before it is kept", () => {
  const { imagery } = made();
  imagery.nudge(2, -1);
  expect(imagery.view.draft).toEqual({ imagery: "own", east_m: 1, north_m: 0.5 });
  expect(imagery.drawnOffset("own")).toMatchObject({ east_m: 1, north_m: 0.5 });
  imagery.dropDraft();
  expect(imagery.drawnOffset("own")).toMatchObject({ east_m: 0, north_m: 0 });
  expect(made({}, false).imagery.nudge(1, 0)).toBe(false);
});

test("an offset that a colleague changed meanwhile is told, and mine is still there to keep", async () => {
  const theirs = offset({ east_m: 3, version: 4 });
  const keep = vi.fn<ImageryRest["keep"]>().mockRejectedValueOnce(new ApiError(409, "offset_changed", "Somebody has changed the offset meanwhile.")).mockResolvedValue({ results: [offset({ east_m: 0.5, version: 5 })], moved: 7 });
  const { imagery, said } = made({ keep, offsets: () => Promise.resolve({ results: [theirs] }) });
  imagery.nudge(1, 0);
  await imagery.keepDraft("cadastre", "move");
  expect(said.at(-1)).toContain("3 m E now");
  expect(imagery.view.draft).not.toBeNull();
  await imagery.keepDraft("cadastre", "move");
  expect(keep).toHaveBeenLastCalledWith({ imagery: "own", east_m: 0.5, north_m: 0 }, 4, "cadastre", "move");
  expect(said.at(-1)).toContain("7 samples went along");
  expect(imagery.view.draft).toBeNull();
});

test("the second date is kept, held up by a key, and forgotten where it is gone", async () => {
  const { imagery, stored } = made();
  expect(imagery.flick(true)).toBe(false);
  imagery.chooseSecond("b");
  await vi.waitFor(() => expect(imagery.view.second?.id).toBe("b"));
  expect(stored.at(-1)).toMatchObject({ second: "b", swipe: true });
  expect(imagery.flick(true)).toBe(true);
  expect(imagery.view.flicking).toBe(true);
  const gone = made({ scene: () => Promise.reject(new ApiError(404, "not_found", "There is no such imagery layer.")) });
  gone.imagery.chooseSecond("b");
  await vi.waitFor(() => expect(gone.imagery.view.choice.second).toBeNull());
});

test("a sample's picture is cut where the file has the pixels that were seen", () => {
  const there = fileBox([10, 50, 10.001, 50.001], offset({ east_m: 10, north_m: -4, per_metre: [1.5, 1.6] }));
  // 15 m of Mercator are 0.000135 degrees of longitude; to the south the file's pixels lie further north.
  expect(there[0]).toBeCloseTo(10 - 15 / 111319.49, 8);
  expect(there[2] - there[0]).toBeCloseTo(0.001, 8);
  expect(there[1]).toBeGreaterThan(50);
});
