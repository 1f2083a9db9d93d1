import { expect, test } from "vitest";
import { coordinatesOf } from "../../src/maps/coordinates-text";
import { areaOf, between, distance, lengthOf } from "../../src/ui/geodesic";

// By pyproj, Geod(ellps="WGS84"): inv and geometry_area_perimeter.
const ORACLE = {near: 148.39274, far: 16989294.70521, path: 221893.87935, small: 10936.77801, degree: 6122943163.07141, large: 10776673665008.10156};

test("distances are those of the ellipsoid, to a millimetre", () => {
  expect(distance([85.52, 27.63], [85.521, 27.631])).toBeCloseTo(ORACLE.near, 3);
  expect(distance([-0.1276, 51.5072], [151.2093, -33.8688])).toBeCloseTo(ORACLE.far, 2);
  expect(distance([10, 0], [10, 0])).toBe(0);
  expect(lengthOf([[0, 0], [1, 0], [1, 1]])).toBeCloseTo(ORACLE.path, 2);
  expect(distance([0, 0], [179.9, 0.05])).toBeGreaterThan(19_900_000);
});

test("areas of edges along great circles are those of geodesic edges: to 1e-7 up close, to 1e-5 over a degree", () => {
  const square = (lon: number, lat: number, side: number): [number, number][] => [[lon, lat], [lon + side, lat], [lon + side, lat + side], [lon, lat + side]];
  expect(areaOf(square(85.52, 27.63, 0.001)) / ORACLE.small).toBeCloseTo(1, 7);
  expect(areaOf(square(10, 60, 1)) / ORACLE.degree).toBeCloseTo(1, 5);
  expect(areaOf(square(-20, -30, 30)) / ORACLE.large).toBeCloseTo(1, 3);
  expect(areaOf([[0, 0], [1, 1]])).toBe(0);
});

test("a long edge is cut along the great circle", () => {
  const points = between([-120, 40], [120, 40], 0.1);
  expect(Math.max(...points.map(([, lat]) => lat))).toBeGreaterThan(55);
  expect(points.at(-1)).toEqual([120, 40]);
});

test.each([
  ["27.63, 85.52", 27.63, 85.52],
  ["27.63 85.52", 27.63, 85.52],
  ["-27.5;85", -27.5, 85],
  ["27°37'48\"N 85°31'12\"E", 27.63, 85.52],
  ["27°37.8'S, 85°31.2'W", -27.63, -85.52],
  ["N 27 37.8, E 85 31.2", 27.63, 85.52],
  ["85.52E 27.63N", 27.63, 85.52],
  ["S27.63 E85.52", -27.63, 85.52],
])("%s is read as coordinates", (text, lat, lon) => {
  expect(coordinatesOf(text)?.lat).toBeCloseTo(lat, 9);
  expect(coordinatesOf(text)?.lon).toBeCloseTo(lon, 9);
});

test.each(["Banepa", "95, 10", "27", "27°70'N 85E", "N27 S28", ""])("%s is none", (text) => {
  expect(coordinatesOf(text)).toBeNull();
});
