// The keys of review: while it runs they come before all others.

import type { Key } from "../bindings";
import type { Comments } from "./comments";
import type { Review } from "./review";

export function reviewKeys(review: Review, comments: Comments): Key[] {
  const key = (id: string, name: string, label: string, act: () => void): Key => ({
    id: `review.${id}`, keys: [name], label, group: "Review",
    run: () => {
      if (!review.view.running) return false;
      act();
      return true;
    },
  });
  if (!review.options.mayLabel) return [];
  return [
    key("accept", "A", "Accept", () => review.accept()),
    key("reject", "R", "Reject", () => review.reject()),
    key("fix", "F", "Mended, go on", () => review.fix()),
    key("skip", "S", "Skip", () => review.skip()),
    key("comment", "C", "Comment on it", () => comments.begin()),
    key("end", "Esc", "End the review", () => review.end()),
    { id: "review", keys: ["Shift+W"], label: "Begin to review samples", group: "Samples", run: () => void review.start() },
    { id: "comment", keys: ["Shift+C"], label: "Comment on the selected sample, or on the place under the pointer", group: "Samples", run: () => comments.begin() },
  ];
}
