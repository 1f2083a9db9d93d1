import { render } from "preact";
import { afterEach, describe, expect, it } from "vitest";
import { ProblemCard, unsavedOf } from "../../src/label/problem-card";
import { EMPTY, reduce } from "../../src/label/store";
import type { State } from "../../src/label/store";
import type { Id } from "../../src/label/types";
import { operation, sample, square } from "./make";

afterEach(() => document.body.replaceChildren());

const TREE = { value: 1, name: "Tree", colour: "#1b9e77", position: 0, retired: false };
const WHY = "This area is labelled task by task. Take the next task, and draw within it.";

/** A sample drawn, another one deleted, both refused. */
function refused(): State {
  const there = sample("there");
  const operations = [operation("create", "drawn", { geometry: square(1, 1), classValue: 1, properties: { height: 3 } }), operation("delete", "there", {}, there)];
  const start = reduce({ ...EMPTY, classes: [TREE] }, { type: "snapshot", samples: [there], seq: 1, truncated: false, whole: true });
  return operations.reduce((now, { opId }) => reduce(now, { type: "refused", opId, message: WHY, code: "task_blind" }), reduce(start, { type: "edited", operations }));
}

/** The card on a page of its own, which it changes as on the real one. */
function page(doc: State): { readonly asked: string[]; text: () => string; press: (name: string) => void } {
  const asked: string[] = [];
  const place = document.createElement("div");
  document.body.append(place);
  let view = { doc, aside: new Set<Id>() as ReadonlySet<Id> };
  const app = {
    set: (change: Partial<typeof view>) => show({ ...view, ...change }),
    show: (id: Id) => void asked.push(`show ${id}`),
    retry: () => void asked.push("retry"),
    discard: (opId: Id) => show({ ...view, doc: reduce(view.doc, { type: "discarded", opId }) }),
  };
  const show = (next: typeof view): void => {
    view = next;
    render(<ProblemCard app={app} view={view} />, place);
  };
  show(view);
  return {
    asked,
    text: () => place.textContent,
    press: (name) => {
      const button = [...place.querySelectorAll("button")].find(({ textContent }) => textContent === name);
      if (!button) throw new Error(`no button ${name}`);
      button.click();
    },
  };
}

describe("changes that were not taken", () => {
  it("are told one by one with the reason, and each can be looked at and dropped", () => {
    const { asked, text, press } = page(refused());
    expect(text()).toContain("1 of 2");
    expect(text()).toContain(`New sample, Tree. ${WHY}`);
    press("Zoom to it");
    press("Try all again");
    expect(asked).toEqual(["show drawn", "retry"]);
    press("Drop the change");
    // What was deleted here is not on the map: nothing to zoom to, nothing to save as a file.
    expect(text()).toContain("Deleted sample, Tree.");
    expect(text()).not.toContain("Zoom");
    expect(text()).not.toContain("file");
    press("Drop the change");
    expect(text()).toBe("");
  });

  it("can be put aside, and come back", () => {
    const { text, press } = page(refused());
    press("Later");
    expect(text()).toBe("2 changes not saved, kept in this browserShow");
    press("Show");
    expect(text()).toContain("A change could not be saved");
  });

  it("can be kept as a file that an import reads", () => {
    expect(unsavedOf({ doc: refused(), aside: new Set() })).toEqual({
      type: "FeatureCollection",
      features: [{ type: "Feature", geometry: square(1, 1), properties: { height: 3, class_value: 1 } }],
    });
  });
});
