// Samples that something is wrong with: seen on the imagery, opened on the map, or mended here.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { post } from "../ui/api";
import { Badge, Button, ConfirmDialog, Select, toast } from "../ui/components";
import { area, number, plural } from "../ui/format";
import type { Offset } from "../label/imagery/offset";
import { Picture } from "./picture";
import type { BadSample, ClassRow, Fix, Problem } from "./types";

export const KIND_WORDS: Readonly<Record<string, { readonly title: string; readonly why: string }>> = {
  invalid: { title: "Invalid outlines", why: "They cross or touch themselves; areas and masks of them are not certain." },
  tiny: { title: "Tiny", why: "Smaller than four pixels: most often a slip of the hand." },
  duplicate: { title: "Duplicates", why: "They share nine tenths of their area with an older sample (dashed)." },
  outside: { title: "Not on the imagery", why: "No pixel lies under them; no training can use them." },
  crossing: { title: "Over the edge of the imagery", why: "A part of them lies where there are no pixels." },
  unclassified: { title: "Without a class", why: "Training leaves them out." },
  retired: { title: "Of a retired class", why: "The class is no longer offered; they may belong to another." },
};

const FIX_WORDS: Readonly<Record<Fix, string>> = { delete: "Delete", repair: "Repair", cut: "Cut at the edge", class: "Give the class" };
const DONE_WORDS: Readonly<Record<Fix, string>> = { delete: "deleted", repair: "repaired", cut: "cut at the edge", class: "given the class" };
/** The server mends so many at once. */
const MOST_AT_ONCE = 200;

export interface ProblemsProps {
  readonly labelSetId: string;
  /** Where the imagery is shown, and which it is. */
  readonly offset: Offset;
  readonly problems: readonly Problem[];
  readonly classes: readonly ClassRow[];
  readonly mayFix: boolean;
  readonly onChanged: () => void;
}

interface Mended {
  readonly done: number;
  readonly failed: readonly { readonly id: string; readonly message: string }[];
}

export function Problems(props: ProblemsProps): JSX.Element {
  const shown = props.problems.filter(({ count }) => count !== 0);
  if (!shown.length) return <p class="note ok" role="status">Nothing is wrong with the samples: all outlines are valid, on the imagery, of a class, and no two are alike.</p>;
  return <div class="stack">{shown.map((problem) => <Section key={problem.kind} {...props} problem={problem} />)}</div>;
}

function Section({ problem, labelSetId, offset, classes, mayFix, onChanged }: ProblemsProps & { problem: Problem }): JSX.Element {
  const [asking, setAsking] = useState<Fix | null>(null);
  const [wanted, setWanted] = useState("");
  const words = KIND_WORDS[problem.kind] ?? { title: problem.kind, why: "" };
  const offered = classes.filter(({ value, retired }) => value !== null && !retired);
  const value = wanted || String(offered[0]?.value ?? "");
  const mend = async (action: Fix, samples: readonly BadSample[]): Promise<void> => {
    const body = {
      kind: problem.kind, action, samples: samples.slice(0, MOST_AT_ONCE).map(({ id, version }) => ({ id, version })),
      ...(action === "class" ? { class_value: Number(value) } : {}),
    };
    try {
      const { done, failed } = await post<Mended>(`/api/label-sets/${labelSetId}/problems`, body);
      const [first] = failed;
      if (first) toast(`${number(failed.length)} left as they are. ${first.message}`, "warn");
      if (done) toast(`${plural(done, "sample")} ${DONE_WORDS[action]}. The history keeps what was.`, "ok");
    } catch (error) {
      toast(error instanceof Error ? error.message : String(error), "bad");
    }
    onChanged();
  };
  if (problem.count === null) {
    return <section class="card"><h2>{words.title}</h2><p class="muted">There are too many samples to look for these in some seconds.</p></section>;
  }
  const more = problem.count > problem.samples.length;
  return (
    <section class="card problem" role="region" aria-label={words.title} data-kind={problem.kind}>
      <h2>{words.title} <Badge tone="warn">{number(problem.count)}</Badge></h2>
      <p class="muted">{words.why}</p>
      {mayFix && (
        <div class="row problem-acts">
          {problem.fixes.includes("class") && <Select quiet label="Class to give" value={value} onChange={setWanted} options={offered.map((one) => ({ value: String(one.value), label: one.name }))} />}
          {problem.samples.length > 1 && problem.fixes.filter((fix) => fix !== "class" || value !== "").map((fix) => (
            <Button key={fix} small kind={fix === "delete" ? "danger" : "normal"} onClick={() => setAsking(fix)}>
              {FIX_WORDS[fix]}: {more ? `the first ${number(problem.samples.length)}` : `all ${number(problem.samples.length)}`}
            </Button>
          ))}
        </div>
      )}
      <ul class="problem-list">
        {problem.samples.map((sample) => (
          <li key={`${sample.id} ${sample.other?.id ?? ""}`}>
            <Picture sample={sample} offset={offset} />
            <div class="problem-facts">
              <span class="numeric">No. {number(sample.fid)}</span>
              <span class="truncate">{classes.find((one) => one.value === sample.class_value)?.name ?? "No class"}</span>
              <span class="muted numeric">{area(sample.area_m2)}</span>
              <div class="row">
                <a href={`/label/${labelSetId}/?sample=${sample.id}&at=${sample.bounds.join(",")}`}>On the map</a>
                {mayFix && problem.fixes.map((fix) => <button key={fix} type="button" class="sample-act" disabled={fix === "class" && value === ""} onClick={() => void mend(fix, [sample])}>{FIX_WORDS[fix]}</button>)}
              </div>
            </div>
          </li>
        ))}
      </ul>
      {asking && (
        <ConfirmDialog
          title={`${FIX_WORDS[asking]}: ${plural(problem.samples.length, "sample")}`}
          confirmLabel={FIX_WORDS[asking]}
          danger={asking === "delete"}
          onClose={() => setAsking(null)}
          onConfirm={() => mend(asking, problem.samples)}
        >
          {words.why} What a colleague changes meanwhile stays as it is, and every sample keeps its history.
        </ConfirmDialog>
      )}
    </section>
  );
}
