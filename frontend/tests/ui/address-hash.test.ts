import { expect, it } from "vitest";
import { onEarth, onHash, viewOf } from "../../src/ui/address-hash";

const led = (hash: string): void => {
  window.dispatchEvent(new HashChangeEvent("hashchange", { oldURL: "http://site/maps/1/#3/1/2", newURL: `http://site/maps/1/${hash}` }));
};

it("follows the address that was asked for, though the page has written another one meanwhile, until it is stopped", () => {
  const asked: string[] = [];
  const stop = onHash((hash) => asked.push(hash));
  history.replaceState(null, "", "#3/1/2/24");
  led("#17/53.9/27.5/");
  led("");
  expect(asked).toEqual(["#17/53.9/27.5/", ""]);
  stop();
  led("#5/1/1");
  expect(asked).toHaveLength(2);
});

it.each([
  ["#17.25/27.630123/85.521399", { zoom: 17.25, lat: 27.630123, lon: 85.521399 }],
  ["#17/-27.6/-180", { zoom: 17, lat: -27.6, lon: -180 }],
  ["#0/0/1e-7/12,-4:0.5", { zoom: 0, lat: 0, lon: 1e-7 }],
  ["#12//", null],
  ["#12//85.5", null],
  ["#12/ / ", null],
  ["#12/27.6", null],
  ["#12/27.6/720", null],
  ["#12/27.6/180.0001", null],
  ["#12/91/85.5", null],
  ["#-1/27.6/85.5", null],
  ["#31/27.6/85.5", null],
  ["#12/27.6/NaN", null],
  ["#12/Infinity/85.5", null],
  ["#12/0x1b/85.5", null],
  ["#12/27.6/1e999", null],
  ["#problems", null],
  ["", null],
])("reads %s as a view, or as none", (hash, view) => {
  expect(viewOf(hash)).toEqual(view);
});

it.each([[85.5, 85.5], [180, 180], [-180, -180], [190, -170], [-190, 170], [540, -180], [725, 5]])("writes the longitude %d as %d", (lon, written) => {
  expect(onEarth(lon)).toBeCloseTo(written, 9);
});
