// What a model found, brought into a label set as suggestions: from the model's results, or from the label set.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { get, post } from "../ui/api";
import { Button, Dialog, ErrorNote, NumberInput, Progress, Select, Spinner } from "../ui/components";
import { number, plural } from "../ui/format";
import { resultOf } from "./job";
import type { Told } from "./job";

interface Choice {
  readonly id: string;
  readonly name: string;
  /** Of a label set. */
  readonly imagery?: string;
  /** Of a model's layer. */
  readonly count?: number;
}

/** The job's report. */
export interface Brought {
  readonly brought: number;
  readonly already: number;
  readonly deleted: number;
  readonly left_out: number;
  readonly classes_added: readonly string[];
  readonly refused: Readonly<Record<string, number>>;
  readonly url: string;
}

export interface SuggestDialogProps {
  /** One of both is known; the other one is chosen here. */
  readonly from: { readonly layer: string } | { readonly labelSet: string };
  /** In place of going to the label set's review. */
  readonly onReview?: () => void;
  readonly onClose: () => void;
}

export function SuggestDialog({ from, onReview, onClose }: SuggestDialogProps): JSX.Element {
  const toLabelSet = "layer" in from;
  const url = toLabelSet ? `/api/layers/${from.layer}/label-sets` : `/api/label-sets/${from.labelSet}/suggestions`;
  const [choices, setChoices] = useState<readonly Choice[] | null>(null);
  const [chosen, setChosen] = useState("");
  const [score, setScore] = useState<number | null>(0.5);
  const [told, setTold] = useState<Told | null>(null);
  const [done, setDone] = useState<Brought | null>(null);
  const [error, setError] = useState<unknown>(null);
  const stopper = useRef(new AbortController());
  useEffect(() => () => stopper.current.abort(), []);
  useEffect(() => {
    get<{ label_sets?: readonly Choice[]; layers?: readonly Choice[] }>(url).then((found) => {
      const list = found.label_sets ?? found.layers ?? [];
      setChoices(list);
      setChosen(list[0]?.id ?? "");
    }, setError);
  }, [url]);
  const ready = chosen !== "" && score !== null && score >= 0 && score <= 1;
  const bring = async (): Promise<void> => {
    setError(null);
    setTold({ value: null, text: "Asking" });
    const [labelSet, layer] = toLabelSet ? [chosen, from.layer] : [from.labelSet, chosen];
    try {
      const { job } = await post<{ job: string }>(`/api/label-sets/${labelSet}/suggestions`, { layer, score });
      setDone(await resultOf<Brought>(job, setTold, stopper.current.signal));
    } catch (failure) {
      if (!stopper.current.signal.aborted) setError(failure);
    }
    setTold(null);
  };
  const review = (): void => {
    if (onReview) onReview();
    else if (done) window.location.assign(done.url);
  };
  return (
    <Dialog
      title="Review as suggestions" onClose={onClose} onSubmit={() => (done ? review() : ready && !told && void bring())}
      actions={
        <>
          <Button onClick={onClose}>{done ? "Close" : "Cancel"}</Button>
          {done
            ? <Button kind="primary" type="submit">Review them</Button>
            : <Button kind="primary" type="submit" busy={told !== null} disabled={!ready}>Bring them in</Button>}
        </>
      }
    >
      {!choices && error === null && <Spinner label="Looking" />}
      {choices?.length === 0 && <p>{toLabelSet ? "No label set lies over this imagery yet. Make one on the imagery's page, and come back." : "No model has looked at this imagery. Run one: its results can be brought in here."}</p>}
      {choices && choices.length > 0 && !done && (
        <>
          <p class="muted">Each result becomes a sample that nobody has checked. What people drew, accepted or said to be no object is left out, and nothing comes twice.</p>
          <Select label={toLabelSet ? "Label set" : "Results of a model"} value={chosen} options={choices.map(optionOf)} onChange={setChosen} />
          <NumberInput label="Least score" hint="0 to 1. Results without a score all come." min={0} max={1} step={0.05} value={score} onChange={setScore} />
        </>
      )}
      {told && <Progress value={told.value} label={told.text} />}
      {error !== null && <ErrorNote error={error} />}
      {done && <Report done={done} />}
    </Dialog>
  );
}

function optionOf({ id, name, imagery, count }: Choice): { value: string; label: string } {
  return { value: id, label: imagery === undefined ? `${name} (${plural(count ?? 0, "feature")})` : `${name} (${imagery})` };
}

function Report({ done }: { done: Brought }): JSX.Element {
  const lines: readonly (readonly [string, number])[] = [
    ["Here already", done.already], ["Deleted by somebody before", done.deleted],
    ["Drawn by people, decided on, or less sure", done.left_out], ...Object.entries(done.refused),
  ];
  return (
    <div role="status">
      <p><strong>{plural(done.brought, "suggestion")} brought in.</strong></p>
      {lines.some(([, count]) => count > 0) && <p class="muted small-text">Left out:</p>}
      {lines.some(([, count]) => count > 0) && (
        <dl class="facts">
          {lines.filter(([, count]) => count > 0).map(([said, count]) => [<dt key={said}>{said}</dt>, <dd key={`${said} count`} class="numeric">{number(count)}</dd>])}
        </dl>
      )}
      {done.classes_added.length > 0 && <p class="muted small-text">New classes: {done.classes_added.join(", ")}.</p>}
    </div>
  );
}
