import { describe, expect, it } from "vitest";
import { added, draftsOf, faults, moved } from "../../src/label/schema-dialog";

const CLASSES = [
  { value: 1, name: "Tree", colour: "#1b9e77", position: 0, retired: false },
  { value: 7, name: "Water", colour: "#377eb8", position: 1, retired: false },
];

describe("the class schema", () => {
  it("gives a new class the next value and a colour of its own", () => {
    const drafts = added(draftsOf(CLASSES));
    expect(drafts[2]).toMatchObject({ value: 8, fresh: true, name: "" });
    expect(CLASSES.map(({ colour }) => colour)).not.toContain(drafts[2]?.colour);
  });

  it("finds what cannot be saved, and where", () => {
    const [tree, water] = draftsOf(CLASSES);
    if (!tree || !water) throw new Error("two classes");
    expect(faults([tree, water]).size).toBe(0);
    expect([...faults([tree, { ...water, name: " TREE " }]).keys()]).toEqual([1]);
    expect(faults([tree, { ...water, value: 1 }]).get(1)).toContain("value is taken");
    expect(faults([{ ...tree, value: 0 }]).get(0)).toContain("1 to 65535");
    expect(faults([{ ...tree, name: " " }]).get(0)).toContain("name");
  });

  it("moves a class earlier and later", () => {
    expect(moved(draftsOf(CLASSES), 1, -1).map(({ value }) => value)).toEqual([7, 1]);
  });
});
