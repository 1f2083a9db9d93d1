// The Review panel: what is left, the sample that is shown, acceptance by score, how decisions fell, comments.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Button, ConfirmDialog, Icon, Select } from "../../ui/components";
import { number, percent, plural } from "../../ui/format";
import type { App, View } from "../app";
import { withKey } from "../bindings";
import type { Key } from "../bindings";
import { NO_CLASS_COLOUR } from "../layer";
import { Swatch } from "../swatch";
import type { Comments } from "./comments";
import { CommentList } from "./comment-list";
import { useReview } from "./hooks";
import { linesOf, makerOf } from "./figures";
import type { Figure, Order, Results, What } from "./rest";
import type { Review, ReviewView } from "./review";

export interface ReviewPanelProps {
  readonly app: App;
  readonly view: View;
  readonly review: Review;
  readonly comments: Comments;
  readonly keys: readonly Key[];
}

const ORDERS: Readonly<Record<What, readonly { value: Order; label: string }[]>> = {
  suggested: [{ value: "high", label: "the surest" }, { value: "low", label: "the least sure" }, { value: "place", label: "as they were made" }],
  drawn: [{ value: "place", label: "as they were drawn" }],
  unseen: [{ value: "place", label: "as they were drawn" }],
};
const NOTHING: Readonly<Record<What, string>> = {
  suggested: "No suggestion is open.",
  drawn: "All that others drew is reviewed.",
  unseen: "The model sees all that others drew, or it is reviewed.",
};

export function ReviewPanel({ app, view, review, comments, keys }: ReviewPanelProps): JSX.Element {
  const now = useReview(review);
  const [results, setResults] = useState<readonly Results[]>([]);
  useEffect(() => {
    void review.look();
    // Without an answer what needs a model is not offered.
    if (review.options.mayReview) review.options.rest.results().then(setResults, () => undefined);
  }, [review]);
  const { wanted } = now;
  const { mayReview, mayLabel } = review.options;
  const choices = [
    { value: "suggested", label: "suggestions" }, { value: "drawn", label: "what others drew" },
    ...(results.length ? [{ value: "unseen", label: "what a model does not see" }] : []),
  ];
  const classes = [{ value: "", label: "all classes" }, ...view.doc.classes.map(({ value, name }) => ({ value: String(value), label: name }))];
  return (
    <section class="label-section review" aria-label="Review">
      {now.running ? <Current app={app} view={view} review={review} now={now} keys={keys} comments={comments} /> : (
        <>
          <div class="review-wanted">
            {mayReview && (
              <Select
                label="Review" value={wanted.what} options={choices}
                onChange={(what) => review.want({ what: what as What, order: what === "suggested" ? "high" : "place", results: wanted.results || (results[0]?.id ?? "") })}
              />
            )}
            {wanted.what === "unseen" && <Select label="Model" value={wanted.results} options={results.map(({ id, name }) => ({ value: id, label: name }))} onChange={(id) => review.want({ results: id })} />}
            <Select label="Of" value={wanted.classValue} options={classes} onChange={(classValue) => review.want({ classValue })} />
            <Select label="First" value={wanted.order} options={ORDERS[wanted.what]} onChange={(order) => review.want({ order: order as Order })} />
          </div>
          <div class="actions">
            {mayLabel && <Button kind="primary" busy={now.busy} disabled={now.left === 0} title={withKey("Review", keys, "review")} onClick={() => void review.start()}>Review {now.left > 0 && number(now.left)}</Button>}
            {now.left === 0 && !now.busy && <span class="muted small-text">{NOTHING[wanted.what]}</span>}
          </div>
          {now.left === 0 && !now.busy && wanted.what === "suggested" && <p class="muted small-text">Suggestions are samples that nobody has checked: from a model, or from another date. They come here when you bring in what a model found, import detections, or copy samples to this date.</p>}
        </>
      )}
      {mayReview && wanted.what === "suggested" && now.left > 0 && <AboveScore review={review} now={now} />}
      {!now.running && (
        <div class="review-roads small-text">
          {mayLabel && <Button small onClick={() => app.set({ open: "suggest" })}>Bring in what a model found…</Button>}
          <a href="omissions/">What a model sees and nobody has drawn</a>
        </div>
      )}
      <Figures figures={now.figures} view={view} />
      <CommentList comments={comments} keys={keys} />
    </section>
  );
}

function Current({ app, view, review, now, keys, comments }: Omit<ReviewPanelProps, "comments"> & { now: ReviewView; comments: Comments }): JSX.Element {
  const sample = now.current === null ? undefined : view.doc.view.get(now.current);
  const found = view.doc.classes.find(({ value }) => value === sample?.classValue);
  return (
    <div class="review-card">
      <div class="row">
        <strong class="numeric">{plural(now.decided, "decision")}</strong>
        <span class="muted small-text numeric">{number(now.left)} left</span>
        <span class="spacer" />
        <Button small onClick={() => review.end()}>End</Button>
      </div>
      {sample ? (
        <>
          <p class="row"><Swatch colour={found?.colour ?? NO_CLASS_COLOUR} /><span>{found?.name ?? "No class"} <span class="muted">{sample.fid}</span></span>{now.fixed && <span class="badge accent">mended</span>}</p>
          <p class="muted small-text">{makerOf(sample)}</p>
          <div class="review-decide">
            {now.fixed
              ? <Button kind="primary" onClick={() => review.fix()}>{withKey("Go on", keys, "review.fix")}</Button>
              : <Button kind="primary" onClick={() => review.accept()}>{withKey("Accept", keys, "review.accept")}</Button>}
            <Button kind="danger" onClick={() => review.reject()}>{withKey("Reject", keys, "review.reject")}</Button>
            <Button onClick={() => review.skip()}>{withKey("Skip", keys, "review.skip")}</Button>
            <Button onClick={() => comments.begin()}>{withKey("Comment", keys, "review.comment")}</Button>
          </div>
          {!now.fixed && <p class="muted small-text">To mend it, drag its corners, use a tool, or press a digit for its class.</p>}
        </>
      ) : <p class="muted">{now.busy ? "Reading the next." : "Nothing is left to review."}</p>}
      {now.decided > 0 && <Button small kind="quiet" onClick={() => app.undo()}><Icon name="undo" /> Take the last decision back</Button>}
    </div>
  );
}

function AboveScore({ review, now }: { review: Review; now: ReviewView }): JSX.Element {
  const [score, setScore] = useState(0.8);
  const [count, setCount] = useState<number | null>(null);
  const [asking, setAsking] = useState(false);
  const { classValue } = now.wanted;
  useEffect(() => {
    let current = true;
    const waiting = setTimeout(() => {
      review.options.rest.countAbove(score, classValue).then((found) => current && setCount(found), () => current && setCount(null));
    }, 150);
    return () => {
      current = false;
      clearTimeout(waiting);
    };
  }, [review, score, classValue, now.left]);
  return (
    <div class="review-above">
      <label class="label-slider">
        <span>Score from</span>
        <input type="range" min={0} max={1} step={0.01} value={score} onInput={(event) => setScore(event.currentTarget.valueAsNumber)} />
        <span class="numeric muted">{percent(score, 0)}</span>
      </label>
      <Button small disabled={!count} onClick={() => setAsking(true)}>Accept {count === null ? "" : plural(count, "suggestion")}</Button>
      {asking && (
        <ConfirmDialog title={`Accept ${plural(count ?? 0, "suggestion")}?`} confirmLabel="Accept" onConfirm={() => review.acceptAbove(score)} onClose={() => setAsking(false)}>
          All with a score of {percent(score, 0)} or more count as checked by you. It is one step in the history, and can be taken back there.
        </ConfirmDialog>
      )}
    </div>
  );
}

function Figures({ figures, view }: { figures: readonly Figure[]; view: View }): JSX.Element | null {
  if (!figures.length) return null;
  const nameOf = (value: number | null): string => view.doc.classes.find((one) => one.value === value)?.name ?? "No class";
  return (
    <>
      {([["maker", "Who made it"], ["class", "Class"]] as const).map(([by, head]) => (
        <table class="review-figures small-text" key={by}>
          <thead><tr><th scope="col">{head}</th><th scope="col">accepted</th><th scope="col">mended</th><th scope="col">rejected</th><th scope="col" title="Accepted as it was">rate</th></tr></thead>
          <tbody>
            {linesOf(figures, by, nameOf).map(({ key, name, accepted, fixed, rejected }) => (
              <tr key={key}>
                <th scope="row" class="truncate" title={name}>{name}</th>
                <td class="numeric">{number(accepted)}</td><td class="numeric">{number(fixed)}</td><td class="numeric">{number(rejected)}</td>
                <td class="numeric">{percent(accepted / (accepted + fixed + rejected), 0)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      ))}
    </>
  );
}
