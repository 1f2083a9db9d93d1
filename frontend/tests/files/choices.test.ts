import { describe, expect, it } from "vitest";
import { bodyOf, fieldsOf, firstChoices, likelyClassMap, overlap, problemOf, withClassField, withTables } from "../../src/files/choices";
import type { FileTable, Look } from "../../src/files/types";

const CLASSES = [
  { value: 1, name: "Tree", colour: "#1b9e77", retired: false },
  { value: 2, name: "Roof", colour: "#377eb8", retired: false },
];

const table = (more: Partial<FileTable>): FileTable => ({
  index: 0, name: "t", count: 3, without_geometry: 0, geometry_types: { Polygon: 3 }, crs: { id: "EPSG:32651", name: "UTM", assumed: false }, assumed_because: "",
  bounds: [0, 0, 1, 1], fields: [], rows: [], shapes: [], class_field: "", notes: [], ...more,
});
const look = (tables: FileTable[], format = "gpkg"): Look => ({ format, filename: "a", tables, more_tables: 0 });
const kind = { name: "Class", types: ["str"], values: [["tree", 2], ["2", 1], ["car", 1], ["", 4]] as [string, number][] };

describe("choices for a file", () => {
  it("guess the class column and what its values become", () => {
    const seen = look([table({ fields: [{ name: "id", types: ["int"], values: null }, kind] })]);
    const choices = firstChoices(seen, CLASSES, true);
    expect(choices.classField).toBe("Class");
    expect(choices.classMap).toEqual({ tree: 1, 2: 2, car: "new", "": "none" });
    expect(likelyClassMap(kind.values, CLASSES, false)["car"]).toBe("none");
    expect(withClassField(choices, seen.tables[0]?.fields ?? [], "", CLASSES, true).classMap).toEqual({});
  });

  it("take all tables of a shapefile, else the first that can be read", () => {
    const tables = [table({ index: 0, error: "another image" }), table({ index: 1, class_field: "Class", fields: [kind] }), table({ index: 2, fields: [{ ...kind, values: [["car", 5]] }] })];
    expect(firstChoices(look(tables), CLASSES, true).tables).toEqual([1]);
    const both = firstChoices(look(tables, "shapefile"), CLASSES, true);
    expect(both.tables).toEqual([1, 2]);
    expect(fieldsOf(look(tables), [1, 2])[0]?.values).toContainEqual(["car", 6]);
    expect(withTables(both, look(tables), [], CLASSES, true).classField).toBe("");
  });

  it("ask for a CRS where the file names none, and send what was assumed", () => {
    const nowhere = look([table({ crs: null })]);
    const choices = firstChoices(nowhere, CLASSES, true);
    expect(problemOf(nowhere, choices)).toContain("EPSG");
    expect(problemOf(nowhere, { ...choices, crs: "EPSG:32651" })).toBe("");
    expect(problemOf(nowhere, { ...choices, crs: "UTM" })).toContain("EPSG");
    expect(problemOf(nowhere, { ...choices, tables: [] })).toContain("table");
    const assumed = look([table({ crs: { id: "EPSG:4326", name: "WGS 84", assumed: true } })]);
    expect(bodyOf(assumed, firstChoices(assumed, CLASSES, true))).toMatchObject({ crs: "EPSG:4326", tables: [0], verified: true });
    const named = look([table({})]);
    expect(bodyOf(named, firstChoices(named, CLASSES, true))).toMatchObject({ crs: "" });
  });

  it("say whether the file lies on the imagery", () => {
    expect(overlap([0, 0, 1, 1], [0, 0, 2, 2])).toBe("all");
    expect(overlap([0, 0, 3, 1], [0, 0, 2, 2])).toBe("some");
    expect(overlap([5, 5, 6, 6], [0, 0, 2, 2])).toBe("none");
    expect(overlap(null, [0, 0, 2, 2])).toBe("unknown");
  });
});
