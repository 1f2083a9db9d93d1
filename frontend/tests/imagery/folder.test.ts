import { describe, expect, it } from "vitest";
import { fresh, listingUrl, reportOf } from "../../src/imagery/folder";
import type { Entry, Taken } from "../../src/imagery/folder";

const file = (name: string, known = false): Entry => ({ name, kind: "file", size_bytes: 1, known });

describe("folders of the server", () => {
  it("are asked for by their path", () => {
    expect(listingUrl("p", null)).toBe("/api/imagery/folders?project=p");
    expect(listingUrl("p", "/data/a & b")).toBe("/api/imagery/folders?project=p&folder=%2Fdata%2Fa+%26+b");
  });

  it("offer as all what the project does not have yet", () => {
    expect(fresh([{ ...file("sub"), kind: "folder" }, file("a.tif"), file("b.tif", true)])).toEqual(["a.tif"]);
  });

  it("tell how far a batch is, and what was refused", () => {
    const rows: Taken[] = [
      { name: "a", job: "1", outcome: { state: "done", url: "/imagery/1/" } },
      { name: "b", job: "2", outcome: { state: "failed", message: "No CRS.", fix: "Give one." } },
      { name: "c", job: "3", outcome: { state: "going" } },
      { name: "d", job: "4", outcome: { state: "going" } },
    ];
    expect(reportOf(rows)).toMatchObject({ of: 4, done: 1, share: 0.5 });
    expect(reportOf(rows).failed.map((row) => row.name)).toEqual(["b"]);
    expect(reportOf([]).share).toBe(0);
  });
});
