import { expect, test } from "vitest";
import { endedBadly } from "../../src/jobs/restart";
import { usesText } from "../../src/projects/invitations";
import { confirmed } from "../../src/ui/delete-dialog";

test("a typed confirmation must be the very name", () => {
  expect(confirmed(false, "Banepa", "")).toBe(true);
  expect(confirmed(true, "Banepa", "banepa")).toBe(false);
  expect(confirmed(true, "Banepa", "Banepa")).toBe(true);
});

test("uses of a link are counted against what it allows", () => {
  expect(usesText(0, 1)).toBe("0 of 1");
  expect(usesText(3, null)).toBe("3 so far");
});

test("only jobs without a result are run again", () => {
  expect(["queued", "running", "publishing", "succeeded", "failed", "cancelled"].filter((state) => endedBadly({ state: state as "failed" }))).toEqual(["failed", "cancelled"]);
});
