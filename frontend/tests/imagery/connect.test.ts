import { describe, expect, it } from "vitest";
import { addresses } from "../../src/imagery/connect";

describe("addresses of a layer", () => {
  it("are absolute, name the layer, and leave the file out while it is being made", () => {
    const layer = { id: "abc", project: "def", state: "ready", kind: "scene", remote: null } as const;
    const found = addresses(layer, "https://maps.example");
    expect(found.map((row) => row.name)).toEqual(["XYZ tiles", "WMTS", "WMS", "TileJSON", "STAC item", "File"]);
    expect(found.every((row) => row.url.startsWith("https://maps.example/"))).toBe(true);
    expect(found[0]?.url).toContain("{z}/{y}/{x}");
    expect(addresses({ ...layer, kind: "mosaic" }, "").at(-1)?.name).toBe("MosaicJSON");
    expect(addresses({ ...layer, state: "building" }, "").map((row) => row.name)).not.toContain("File");
  });
});
