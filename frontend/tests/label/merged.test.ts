import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { mergedSayer } from "../../src/label/merged";
import { sample } from "./make";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("what was put together at a time is said once, with the name of who else was there", () => {
  const said: string[] = [];
  const merged = mergedSayer((message) => said.push(message));
  merged({ ...sample("a"), updatedBy: "Ben" });
  vi.runAllTimers();
  expect(said).toEqual(["Ben changed this sample too, in another way. Both changes are kept."]);
  merged({ ...sample("a"), updatedBy: "Ben" });
  merged({ ...sample("b"), updatedBy: "Cleo" });
  vi.runAllTimers();
  expect(said[1]).toBe("Colleagues changed 2 samples too, in another way. Both changes are kept.");
});
