import { describe, expect, it } from "vitest";
import { candidateOf, candidatesOf, factsOf, firstChoice, requestOf, seen } from "../../src/imagery/remote";
import type { RemoteItem, RemoteRaster } from "../../src/imagery/remote";

const raster: RemoteRaster = {
  kind: "raster",
  url: "https://data.example.org/town.tif",
  name: "town.tif",
  size_bytes: 29_000_000,
  certain: true,
  fetched_bytes: 250_000,
  height: 1400,
  width: 1800,
  dtype: "uint8",
  compression: "JPEG",
  overviews: 5,
  bands: ["red", "green", "blue"],
  epsg: 32633,
  gsd_m: 0.5,
  nodata: null,
  picture: null,
  notes: [],
  problem: null,
};
const asset = { title: "", roles: ["data"], bands: ["red"], problem: null };
const item: RemoteItem = {
  kind: "item",
  id: "a",
  title: "Town in May",
  datetime: "2024-05-31T10:00:00Z",
  attribution: "© City",
  description: "",
  assets: [
    { ...asset, key: "B04", href: "https://data.example.org/b4.tif?sig=x", url: "https://data.example.org/b4.tif?…" },
    { ...asset, key: "visual", href: "https://data.example.org/tci.tif", url: "https://data.example.org/tci.tif" },
    { ...asset, key: "away", href: "https://e.org/x.tif", url: "https://e.org/x.tif", problem: { code: "host_not_allowed", message: "No.", fix: "Ask." } },
  ],
};

describe("rasters of other servers", () => {
  it("are read where they lie unless they can be copied only", () => {
    const row = candidateOf(raster, raster.url);
    expect([row.name, row.mode, row.phase]).toEqual(["town", "link", "new"]);
    const refused = { ...raster, problem: { code: "not_cog", message: "It has no overviews.", fix: "Copy it." } };
    expect(seen(row, refused).mode).toBe("copy");
  });

  it("of an item are those whose server may be asked, with a name each", () => {
    const rows = candidatesOf(item, "https://data.example.org/item.json");
    expect(rows.map((row) => row.name)).toEqual(["Town in May · B04", "Town in May · visual"]);
    expect(rows[0]?.url).toBe("https://data.example.org/b4.tif?sig=x");
    expect(firstChoice(item)).toEqual(["visual"]);
    expect(firstChoice({ ...item, assets: item.assets.slice(0, 1) })).toEqual(["B04"]);
    expect(firstChoice({ ...item, assets: [] })).toEqual([]);
  });

  it("are asked for with what was said of them", () => {
    const [row] = candidatesOf(item, "https://data.example.org/item.json");
    if (!row) throw new Error("no row");
    expect(requestOf(row, "p")).toEqual({
      project: "p",
      url: "https://data.example.org/b4.tif?sig=x",
      mode: "link",
      options: { name: "Town in May · B04", attribution: "© City", acquired_at: "2024-05-31T10:00:00Z" },
      bands: ["red"],
      item: "https://data.example.org/item.json",
    });
    expect(requestOf({ ...row, mode: "copy" }, "p")).not.toHaveProperty("bands");
  });

  it("say what was read of them", () => {
    const words = { number: String, bytes: (value: number) => `${value / 1e6} MB` };
    expect(Object.fromEntries(factsOf(raster, words))).toMatchObject({
      Size: "1800 × 1400 pixels",
      Pixel: "50 cm",
      CRS: "EPSG:32633",
      File: "29 MB, of which 0.25 MB were read for this look",
    });
  });
});
