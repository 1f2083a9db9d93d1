import { expect, it } from "vitest";
import { onHash } from "../../src/ui/address-hash";

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
