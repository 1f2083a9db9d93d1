import { expect, it } from "vitest";
import { roomBelow } from "../../src/label/room";

it("keeps what is shown clear of a card at the lower edge, as far as the map is high", () => {
  expect(roomBelow(660, 0)).toBe(80);
  expect(roomBelow(660, 46)).toBe(86);
  expect(roomBelow(660, 250)).toBe(290);
  // A phone with its panel open: a strip above the card is all there is.
  expect(roomBelow(330, 250)).toBe(190);
  expect(roomBelow(100, 250)).toBe(80);
});
