// The demo: the whole loop as one job, from labels to a finished map.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { JobProgress } from "../jobs/JobProgress";
import { post } from "../ui/api";
import { Badge, Button, ErrorNote, Icon, IconButton } from "../ui/components";
import { number } from "../ui/format";

const STEPS = ["Labels", "Training data", "Training", "Inference", "Map"];

interface Score {
  iou: number;
  precision: number;
  recall: number;
  chance_iou: number;
}

/** What the demo's job answers. */
interface Outcome {
  map: string;
  score: Score;
  labels: number;
  elsewhere: { map: string; imagery: string; score: Score; labels: number };
  sentence: string;
  /** Names of its scenes whose place on Earth is assumed. */
  position_assumed: string[];
}

function ScoreTable({ outcome }: { outcome: Outcome }): JSX.Element {
  const rows = [
    { where: "The same scene, its held-out south", ...outcome },
    { where: `${outcome.elsewhere.imagery}, never trained on`, ...outcome.elsewhere },
  ];
  return (
    <div class="demo-scores">
      <table class="table">
        <caption class="visually-hidden">How well the model finds tree area</caption>
        <thead>
          <tr>
            <th scope="col">Measured on</th>
            <th scope="col">Labels</th>
            <th scope="col">IoU</th>
            <th scope="col">Precision</th>
            <th scope="col">Recall</th>
            <th scope="col">IoU of calling everything a tree</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ where, labels, score, map }) => (
            <tr key={map}>
              <td>
                <a href={map}>{where}</a>
              </td>
              <td class="numeric">{number(labels)}</td>
              <td class="numeric">
                <strong>{number(score.iou, 2)}</strong>{" "}
                {score.iou <= score.chance_iou && <Badge tone="warn">no better than “all trees”</Badge>}
              </td>
              <td class="numeric">{number(score.precision, 2)}</td>
              <td class="numeric">{number(score.recall, 2)}</td>
              <td class="numeric">{number(score.chance_iou, 2)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="muted small-text">
        The labels are boxes around crowns, so even perfect crowns would score below 1.
        {outcome.position_assumed.length > 0 && ` The place on Earth of ${outcome.position_assumed.map((name) => `“${name}”`).join(" and ")} is assumed.`}
      </p>
    </div>
  );
}

interface DemoCardProps {
  /** Names of the demo's scenes whose place on Earth is assumed. */
  assumed: readonly string[];
  onHide: () => void;
  onDone: () => void;
}

/** Offers the demo, shows how it goes, and links to its map. */
export function DemoCard({ assumed, onHide, onDone }: DemoCardProps): JSX.Element {
  const [job, setJob] = useState<string | null>(null);
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  // The job failed or was cancelled; its progress says why.
  const [ended, setEnded] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const start = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    setOutcome(null);
    setEnded(false);
    try {
      setJob((await post<{ id: string }>("/api/demo/")).id);
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  return (
    <section class="card demo-card" aria-labelledby="demo-title">
      <div>
        <h2 id="demo-title">See the whole loop</h2>
        <p class="muted">The demo goes from real labels to a model's result on a map in a few minutes, and measures it on labels the model never saw.</p>
        <ol class="steps">
          {STEPS.map((step) => (
            <li key={step}>{step}</li>
          ))}
        </ol>
        {assumed.length > 0 && (
          <p class="muted small-text demo-assumed">
            <Icon name="warn" /> Where {assumed.map((name) => `“${name}”`).join(" and ")} lie{assumed.length === 1 ? "s" : ""} on Earth is assumed.
          </p>
        )}
      </div>
      <div class="actions">
        {outcome && (
          <Button kind="primary" href={outcome.map}>
            Open the map
          </Button>
        )}
        <Button kind={outcome ? "normal" : "primary"} busy={busy} disabled={job !== null && !outcome && !ended} onClick={() => void start()}>
          {outcome || ended ? "Run again" : "Run the demo"}
        </Button>
        <IconButton label="Hide the demo" icon="close" onClick={onHide} />
      </div>
      {error !== null && <ErrorNote error={error} />}
      {outcome && <ScoreTable outcome={outcome} />}
      {job !== null && !outcome && (
        <div class="demo-progress">
          <JobProgress
            key={job}
            jobId={job}
            onDone={(done) => {
              if (done.state === "succeeded") setOutcome(done.result as unknown as Outcome);
              else setEnded(true);
              onDone();
            }}
          />
        </div>
      )}
    </section>
  );
}
