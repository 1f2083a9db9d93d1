import { useEffect, useState } from "preact/hooks";
import type { Comments, CommentsView } from "./comments";
import type { Review, ReviewView } from "./review";

/** The review's view; renders anew when it changes. */
export function useReview(review: Review): ReviewView {
  const [view, setView] = useState(review.view);
  useEffect(() => {
    setView(review.view);
    return review.subscribe(() => setView(review.view));
  }, [review]);
  return view;
}

/** The comments' view; renders anew when it changes. */
export function useComments(comments: Comments): CommentsView {
  const [view, setView] = useState(comments.view);
  useEffect(() => {
    setView(comments.view);
    return comments.subscribe(() => setView(comments.view));
  }, [comments]);
  return view;
}
