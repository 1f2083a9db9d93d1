import { expect, it } from "vitest";
import { tabOf } from "../../src/ui/address-tab";

it.each([["#two", "two"], ["", "one"], ["#three", "one"], ["#two/4", "one"]])("the address %j opens tab %s", (hash, tab) => {
  expect(tabOf(hash, ["one", "two"])).toBe(tab);
});
