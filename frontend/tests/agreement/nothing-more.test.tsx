import { render } from "preact";
import { describe, expect, it } from "vitest";
import { NothingMore } from "../../src/agreement/nothing-more";
import type { Difference } from "../../src/agreement/types";

const ONE: Difference = { key: "k", what: "agreed", iou: 1, a: null, b: null };

function said(differences: readonly Difference[], elsewhere: number): string {
  const place = document.createElement("div");
  render(<NothingMore task={{ differences, decided_elsewhere: elsewhere }} />, place);
  return place.textContent ?? "";
}

describe("below the list of differences", () => {
  it("says what a neighbouring task has decided, in place of that there was nothing", () => {
    expect(said([ONE], 1)).toBe("1 object on the border was decided in a neighbouring task.");
    expect(said([], 3)).toBe("3 objects on the border were decided in a neighbouring task.");
  });

  it("says nothing of neighbours where they decided nothing", () => {
    expect(said([], 0)).toBe("Both found nothing here.");
    expect(said([ONE], 0)).toBe("");
  });
});
