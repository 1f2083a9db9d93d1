import { describe, expect, test } from "vitest";
import { doingText, fits, merge, mergeEvents, newer, resultUrl, secondsOf, stateText } from "../../src/jobs/state";
import type { Job, JobEvent } from "../../src/jobs/types";

function job(values: Partial<Job> = {}): Job {
  return {
    id: "a", kind: "train", title: "Train", state: "running", progress: 0.5, message: "epoch 3", attempt: 1, max_attempts: 3,
    cancel_requested: false, error: null, created_at: "2026-11-22T10:00:00Z", started_at: "2026-11-22T10:00:05Z",
    finished_at: null, created_by: "ana", project: "p", project_name: "Banepa", result: {}, seq: 4, url: "/jobs/a/", ...values,
  };
}

const line = (seq: number): JobEvent => ({ seq, level: "info", text: `line ${seq}`, attempt: 1, at: "2026-11-22T10:00:00Z" });

describe("newer", () => {
  test("takes the higher number, whichever came last", () => {
    expect(newer(job({ seq: 5 }), job({ seq: 4, progress: 0.9 })).seq).toBe(5);
    expect(newer(job({ seq: 4 }), job({ seq: 5 })).seq).toBe(5);
  });
  test("takes progress of the same number, but never leaves a finished state", () => {
    expect(newer(job({ progress: 0.1 }), job({ progress: 0.2 })).progress).toBe(0.2);
    expect(newer(job({ state: "succeeded" }), job({ state: "running" })).state).toBe("succeeded");
  });
});

test("a list keeps each job once, newest first", () => {
  const older = job({ id: "b", created_at: "2026-11-22T09:00:00Z" });
  const merged = merge([job()], [older, job({ progress: 0.7 })]);
  expect(merged.map((row) => [row.id, row.progress])).toEqual([["a", 0.7], ["b", 0.5]]);
});

test("a log keeps each line once, in order, whatever is sent again", () => {
  expect(mergeEvents([line(1), line(2)], [line(2), line(3)]).map((event) => event.seq)).toEqual([1, 2, 3]);
});

test("a filter by state and project", () => {
  expect(fits(job(), "", "")).toBe(true);
  expect(fits(job(), "unfinished", "p")).toBe(true);
  expect(fits(job({ state: "failed" }), "unfinished", "")).toBe(false);
  expect(fits(job(), "running", "other")).toBe(false);
});

test("a job that was told to stop says so", () => {
  expect(stateText(job({ cancel_requested: true }))).toBe("stopping");
  expect(stateText(job({ cancel_requested: true, state: "cancelled" }))).toBe("cancelled");
});

test("a job that waits for its next attempt says which", () => {
  expect(doingText(job({ state: "queued", attempt: 1 }))).toBe("Waiting for attempt 2 of 3");
  expect(doingText(job({ state: "queued", attempt: 0 }))).toBe("Waiting for a worker");
});

test("a result leads only to a page of this site", () => {
  expect(resultUrl(job({ result: { url: "/maps/1/" } }))).toBe("/maps/1/");
  expect(resultUrl(job({ result: { url: "//evil.example/" } }))).toBeNull();
  expect(resultUrl(job({ result: { url: "javascript:alert(1)" } }))).toBeNull();
  expect(resultUrl(job())).toBeNull();
});

test("the time of a job runs until it has ended", () => {
  const now = new Date("2026-11-22T10:01:05Z").getTime();
  expect(secondsOf(job(), now)).toBe(60);
  expect(secondsOf(job({ finished_at: "2026-11-22T10:00:06Z" }), now)).toBe(1);
  expect(secondsOf(job({ started_at: null }), now)).toBeNull();
});
