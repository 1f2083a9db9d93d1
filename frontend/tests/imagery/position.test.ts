import { describe, expect, it } from "vitest";
import { EMPTY, check, waysFor } from "../../src/imagery/position";

describe("position", () => {
  it("lets a GeoTIFF speak for itself and asks about a picture", () => {
    expect(check(EMPTY, "a.tif")).toEqual({ valid: true, position: {} });
    expect(check(EMPTY, "a.PNG").valid).toBe(false);
    expect(waysFor("a.jpg").map((way) => way.value)).not.toContain("epsg");
  });
  it("takes bounds in degrees by default and refuses reversed ones", () => {
    const bounds = { ...EMPTY, way: "bounds" as const, west: "85,51", south: "27.6", east: "85.52", north: "27.7" };
    expect(check(bounds, "a.png")).toEqual({ valid: true, position: { bounds: [85.51, 27.6, 85.52, 27.7], epsg: 4326 } });
    expect(check({ ...bounds, east: "85" }, "a.png")).toEqual({ valid: false, reason: "West must be smaller than east." });
    expect(check({ ...bounds, north: "x" }, "a.png").valid).toBe(false);
  });
  it("needs the CRS of a world file", () => {
    const world = { ...EMPTY, way: "world" as const, world: "0.5\n0\n0\n-0.5\n500000.25\n4648999.75\n" };
    expect(check(world, "a.png").valid).toBe(false);
    expect(check({ ...world, epsg: "EPSG:32633" }, "a.png")).toMatchObject({ valid: true, position: { epsg: 32633 } });
    expect(check({ ...world, world: "1 2 3", epsg: "32633" }, "a.png").valid).toBe(false);
  });
  it("takes a centre with a pixel size", () => {
    const centre = { ...EMPTY, way: "centre" as const, lon: "-119.26", lat: "37.03", gsd: "0.1" };
    expect(check(centre, "a.png")).toEqual({ valid: true, position: { centre: [-119.26, 37.03], gsd_m: 0.1 } });
    expect(check({ ...centre, gsd: "0" }, "a.png").valid).toBe(false);
    expect(check({ ...centre, lat: "88" }, "a.png").valid).toBe(false);
  });
});
