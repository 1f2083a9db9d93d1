import { describe, expect, it } from "vitest";
import { bodyOf, boxOf, check, firstChoice, polygonOf, settingsFor } from "../../src/inference/request";
import type { Imagery, NewConfig, Package, Settings } from "../../src/inference/types";

const pixels: Settings = {
  threshold: 0,
  max_overlap: 0.3,
  halo_px: null,
  core_px: null,
  block_px: null,
  stitch: "trim",
  polygons: true,
  min_area_m2: 0,
  simplify_px: 1,
};
const imagery = (id: string, project: string): Imagery => ({ id, project, name: id }) as Imagery;
const model = (id: string, project: string, task: Package["task"], metrics: Record<string, unknown> = {}): Package =>
  ({ id, project, task, metrics, name: id }) as unknown as Package;
const config: NewConfig = {
  imagery: [imagery("i1", "p1"), imagery("i2", "p2")],
  packages: [model("m1", "p9", "classify_pixels"), model("m2", "p2", "detect_objects", { threshold: 0.4321 })],
  chosen: { imagery: "", package: "" },
  defaults: { classify_pixels: pixels, detect_objects: { ...pixels, threshold: 0.5 } },
  projects: {},
};

describe("the first choice", () => {
  it("is the newest imagery and a model of its project", () => {
    expect(firstChoice(config)).toMatchObject({ imagery: "i1", package: "m1" });
    expect(firstChoice({ ...config, chosen: { imagery: "i2", package: "" } })).toMatchObject({ imagery: "i2", package: "m2" });
  });
  it("is imagery of the project of the model that the address asks for", () => {
    expect(firstChoice({ ...config, chosen: { imagery: "", package: "m2" } })).toMatchObject({ imagery: "i2", package: "m2" });
  });
  it("is what the address asks for", () => {
    expect(firstChoice({ ...config, chosen: { imagery: "i2", package: "m1" } })).toMatchObject({ imagery: "i2", package: "m1" });
  });
});

describe("settings", () => {
  it("start at the threshold at which a detector did best", () => {
    expect(settingsFor(config.packages[1], config).threshold).toBe(0.43);
    expect(settingsFor(config.packages[0], config).threshold).toBe(0);
  });
  it("out of range or empty are refused with a reason", () => {
    expect(check({ ...pixels, threshold: 1.2 })).toEqual({ valid: false, reason: "The threshold is a number from 0 to 1." });
    expect(check({ ...pixels, min_area_m2: Number.NaN }).valid).toBe(false);
    expect(check(pixels).valid).toBe(true);
  });
  it("are sent only where the task knows them", () => {
    const choice = { ...firstChoice(config), name: "  Trees " };
    expect(bodyOf(choice, "detect_objects").settings).toEqual({ threshold: 0, max_overlap: 0.3 });
    expect(bodyOf(choice, "classify_pixels")).toMatchObject({ name: "Trees", settings: { polygons: true } });
  });
});

describe("an extent", () => {
  it("needs three corners; the two of a double click are one", () => {
    expect(polygonOf([[0, 0], [1, 0], [1, 0]])).toBeNull();
    expect(polygonOf([[0, 0], [1, 0], [1, 1], [1, 1]])?.coordinates[0]).toEqual([[0, 0], [1, 0], [1, 1], [0, 0]]);
  });
  it("of a box is a closed ring", () => {
    expect(boxOf([1, 2, 3, 4]).coordinates[0]).toHaveLength(5);
  });
});
