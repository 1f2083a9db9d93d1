import { beforeEach, describe, expect, it } from "vitest";
import type { App } from "../../../src/label/app";
import { linesOf, makerOf } from "../../../src/label/review/figures";
import type { Page, ReviewRest } from "../../../src/label/review/rest";
import { Review } from "../../../src/label/review/review";
import type { Operation, Sample } from "../../../src/label/types";
import type { Change } from "../../../src/label/undo";
import type { FeatureJson } from "../../../src/label/wire";
import { operation, sample, square } from "../make";

const json = (id: string): FeatureJson => ({
  type: "Feature", id, geometry: square(0, 0), properties: {},
  meta: { fid: 1, version: 1, class_value: 1, score: 0.7, source: "model", verified: false, updated_by: null },
});

/** As much of the page as the review needs: samples by id, pending operations, what was done. */
class Desk {
  readonly samples = new Map<string, Sample>();
  readonly pending: Operation[] = [];
  readonly done: string[] = [];
  readonly said: string[] = [];
  readonly pages: Page[];
  readonly review: Review;
  reviewing: string | null = null;
  private readonly listeners = new Set<() => void>();

  constructor(...pages: string[][]) {
    const count = pages.flat().length;
    this.pages = pages.map((ids, i) => ({ count, next: i + 1 < pages.length ? String(i + 1) : null, features: ids.map(json) }));
    for (const id of pages.flat()) this.samples.set(id, sample(id, { verified: false, source: "model" }));
    const desk = this as unknown as { view: unknown; sync: unknown };
    desk.view = { doc: { view: this.samples, pending: this.pending } };
    desk.sync = { learn: () => undefined };
    const rest = { stream: (_: unknown, after: string | null) => Promise.resolve(this.pages[Number(after ?? 0)]), figures: () => Promise.resolve([]) };
    this.review = new Review({
      rest: rest as unknown as ReviewRest, app: this as unknown as App, mayLabel: true, mayReview: true,
      say: (message) => this.said.push(message), centre: () => undefined, ahead: () => undefined,
    });
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };
  tell(): void {
    for (const listener of this.listeners) listener();
  }
  set(): void {
    this.tell();
  }
  select(): void {
    this.tell();
  }
  act(label: string, changes: readonly Change[]): void {
    for (const { id, after, review } of changes) {
      this.done.push(`${label} ${id} ${review ?? ""}`);
      if (after) this.samples.set(id, after);
      else {
        this.samples.delete(id);
        this.pending.push(operation("delete", id));
      }
    }
    this.tell();
  }
}

describe("the review stream", () => {
  let desk: Desk;
  beforeEach(async () => {
    desk = new Desk(["a", "b", "c"], ["d"]);
    await desk.review.start();
  });

  it("shows one after the other and takes one decision for each", async () => {
    const { review } = desk;
    expect([review.view.current, desk.reviewing]).toEqual(["a", "a"]);
    review.accept();
    review.reject();
    review.skip();
    await Promise.resolve();
    expect(desk.done).toEqual(["Accept sample a accept", "Reject sample b reject"]);
    expect([review.view.decided, review.view.current]).toEqual([2, "d"]);
    review.accept();
    expect([review.view.current, desk.said.at(-1)]).toEqual([null, "Nothing is left to review."]);
  });

  it("keeps its count where a look that was asked for before the first decision is answered after it", async () => {
    const { review } = desk;
    const looked = review.look();
    review.accept();
    await looked;
    expect([review.view.decided, review.view.left]).toEqual([1, 3]);
    await review.look();
    expect(review.view.left).toBe(4); // what the server says now
  });

  it("goes on after mending without accepting once more", () => {
    desk.review.fix();
    expect(desk.said.at(-1)).toContain("Drag its corners");
    desk.pending.push({ ...operation("update", "a"), review: "fix" });
    desk.tell();
    expect(desk.review.view.fixed).toBe(true);
    desk.review.accept();
    expect([desk.done, desk.review.view.current]).toEqual([[], "b"]);
  });

  it("passes over what colleagues decided meanwhile", () => {
    desk.samples.set("b", sample("b", { verified: true }));
    desk.samples.delete("a");
    desk.tell();
    expect([desk.review.view.current, desk.review.view.decided]).toEqual(["c", 0]);
    desk.review.end();
    expect([desk.reviewing, desk.review.view.running]).toEqual([null, false]);
  });
});

it("figures add up by who made it and by class", () => {
  const ben = { id: 2, name: "Ben" };
  const row = { accepted: 3, fixed: 1, rejected: 0 };
  const figures = [
    { person: ben, source: "human", class_value: 1, ...row }, { person: ben, source: "human", class_value: 2, ...row },
    { person: null, source: "model", class_value: 1, ...row, rejected: 9 },
  ];
  const nameOf = (value: number | null): string => `class ${value}`;
  expect(linesOf(figures, "maker", nameOf).map(({ name, accepted }) => [name, accepted])).toEqual([["Models", 3], ["Ben", 6]]);
  expect(linesOf(figures, "class", nameOf).map(({ name, accepted }) => [name, accepted])).toEqual([["class 1", 6], ["class 2", 3]]);
});

describe("who made a sample", () => {
  it("is told with the model's name and its score until somebody accepts it", () => {
    const suggested = { verified: false, source: "model", score: 0.85, properties: { model: "Crown finder" } };
    expect(makerOf(sample("a", suggested))).toBe("Crown finder suggests it, score 85.0 %");
    expect(makerOf(sample("a", { ...suggested, properties: {} }))).toBe("A model suggests it, score 85.0 %");
    expect(makerOf(sample("a", { verified: false, source: "import" }))).toBe("A file of ana suggests it");
    expect(makerOf(sample("a", { ...suggested, verified: true }))).toBe("By ana");
  });
});
