import { describe, expect, it } from "vitest";
import { arrivalOf } from "../../src/label/arrival";
import { freeValue } from "../../src/samples/class-dialogs";
import { around } from "../../src/samples/picture";
import { merged, written } from "../../src/samples/schema-files";

const CLASSES = [
  { value: 1, name: "Tree", colour: "#1b9e77", position: 0, retired: false },
  { value: 7, name: "Water", colour: "#377eb8", position: 1, retired: true },
];

describe("a class schema as a file", () => {
  it("comes back as it was from our own form", () => {
    const back = merged(written(CLASSES, "quadrat"), []);
    expect(back?.map(({ value, name, colour }) => ({ value, name, colour }))).toEqual([
      { value: 1, name: "Tree", colour: "#1b9e77" },
      { value: 7, name: "Water", colour: "#377eb8" },
    ]);
  });

  it("is written as the classes of an .emd for Esri's tools, and read from there", () => {
    const esri = written(CLASSES, "esri");
    expect(JSON.parse(esri)).toEqual({ Classes: [{ Value: 1, Name: "Tree", Color: [27, 158, 119] }] });
    expect(merged(esri, [])).toMatchObject([{ value: 1, name: "Tree", colour: "#1b9e77", fresh: true }]);
  });

  it("takes name and colour of the same value, adds what is new and removes nothing", () => {
    const file = JSON.stringify({ schema: { children: [{ Classname: "Palm", Classvalue: 1, RED: 1, GREEN: 2, BLUE: 255, children: [{ name: "Reed", code: 9 }] }] } });
    const drafts = merged(file, CLASSES);
    expect(drafts).toMatchObject([
      { value: 1, name: "Palm", colour: "#0102ff", fresh: false },
      { value: 7, name: "Water", fresh: false },
      { value: 9, name: "Reed", fresh: true },
    ]);
  });

  it("is null where a file names no classes", () => {
    for (const text of ["", "[]", "{}", '{"name": "x"}', '[{"name": "x"}]', "null"]) expect(merged(text, CLASSES)).toBeNull();
  });
});

describe("the samples page", () => {
  it("gives a new class the first free value", () => {
    expect(freeValue([{ value: 1 }, { value: null }, { value: 3 }])).toBe(2);
  });

  it("shows a square of the ground around a sample", () => {
    const [west, south, east, north] = around([120, 59.999, 120.001, 60.001]);
    expect((east - west) / 2).toBeCloseTo(north - south, 5);
    expect(north - south).toBeCloseTo(0.006, 6);
  });

  it("links to a sample on the map", () => {
    expect(arrivalOf("?sample=a-b&at=1,2,3,4")).toEqual({ id: "a-b", bounds: [1, 2, 3, 4] });
    for (const text of ["", "?sample=a", "?at=1,2,3,4", "?sample=a&at=1,2,3", "?sample=a&at=3,2,1,4", "?sample=a&at=1,2,3,4,5", "?sample=a&at=a,2,3,4"]) expect(arrivalOf(text)).toBeNull();
  });
});
