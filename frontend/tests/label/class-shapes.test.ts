import { expect, test } from "vitest";
import { shapeOfGeometry, shapeOfTool, shapesSaid, takenByAny, takes } from "../../src/label/class-shapes";
import { lengthM } from "../../src/label/geometry";
import { merged, written } from "../../src/samples/schema-files";
import type { LabelClass } from "../../src/label/types";

const road: LabelClass = { value: 1, name: "Road", colour: "#000000", position: 0, retired: false, shapes: ["line"] };
const any: LabelClass = { value: 2, name: "Roof", colour: "#000000", position: 1, retired: false };

test("a class takes what it says, and anything where it says nothing", () => {
  expect([takes(road, "line"), takes(road, "polygon"), takes(any, "point"), takes(undefined, "line")]).toEqual([true, false, true, true]);
  expect([shapesSaid(road), shapesSaid(any), shapesSaid({ shapes: ["point", "polygon"] })]).toEqual(["lines", "", "areas and points"]);
});

test("tools are offered for shapes that some class takes", () => {
  expect([takenByAny([road], "point"), takenByAny([road, any], "point"), takenByAny([], "point"), takenByAny([road, { ...any, retired: true }], "point")]).toEqual([false, true, true, false]);
  expect([shapeOfTool("brush"), shapeOfTool("segments"), shapeOfTool("line"), shapeOfTool("split"), shapeOfTool("stamp")]).toEqual(["polygon", "polygon", "line", null, null]);
  expect(shapeOfGeometry({ type: "MultiPolygon", coordinates: [] })).toBe("polygon");
});

test("lines are measured on the ground", () => {
  // A hundredth of a degree of longitude at 27.63 degrees north: 986.6 m on the ellipsoid.
  expect(lengthM({ type: "LineString", coordinates: [[85.52, 27.63], [85.53, 27.63]] })).toBeCloseTo(986.67, 0);
});

test("a schema file keeps the shapes", () => {
  expect(merged(written([road], "quadrat"), [])?.[0]?.shapes).toEqual(["line"]);
  expect(merged(written([road], "esri"), [any])?.map(({ shapes }) => shapes.length)).toEqual([3, 3]);
});
