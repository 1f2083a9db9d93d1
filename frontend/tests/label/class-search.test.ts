import { expect, it } from "vitest";
import { named } from "../../src/label/class-search";

const CLASSES = ["Water", "Tin roof", "Roof of tiles", "Road"].map((name) => ({ name }));
const names = (wanted: string): string[] => named(CLASSES, wanted).map(({ name }) => name);

it("classes are found by parts of their names, those that begin so first", () => {
  expect(names("")).toEqual(["Water", "Tin roof", "Roof of tiles", "Road"]);
  expect(names("ROO")).toEqual(["Roof of tiles", "Tin roof"]);
  expect(names("roof tin")).toEqual(["Tin roof"]);
  expect(names("x")).toEqual([]);
});
