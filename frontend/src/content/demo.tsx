// The demo: the whole loop as one job, from labels to a finished map.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { JobProgress } from "../jobs/JobProgress";
import { post } from "../ui/api";
import { Button, ErrorNote, IconButton } from "../ui/components";

const STEPS = ["Labels", "Training data", "Training", "Inference", "Map"];

interface Outcome {
  /** Address of the finished map; null where the demo failed or was cancelled. */
  map: string | null;
  /** What the score against the held-out labels says. */
  sentence: string;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Offers the demo, shows how it goes, and links to its map. */
export function DemoCard({ onHide, onDone }: { onHide: () => void; onDone: () => void }): JSX.Element {
  const [job, setJob] = useState<string | null>(null);
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const start = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    setOutcome(null);
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
        <p class="muted">The demo goes from real labels to a model's result on a map, in a few minutes on this machine.</p>
        <ol class="steps">
          {STEPS.map((step) => (
            <li key={step}>{step}</li>
          ))}
        </ol>
      </div>
      <div class="actions">
        {outcome?.map && (
          <Button kind="primary" href={outcome.map}>
            Open the map
          </Button>
        )}
        <Button kind={outcome?.map ? "normal" : "primary"} busy={busy} disabled={job !== null && outcome === null} onClick={() => void start()}>
          {outcome === null ? "Run the demo" : "Run again"}
        </Button>
        <IconButton label="Hide the demo" icon="close" onClick={onHide} />
      </div>
      {error !== null && <ErrorNote error={error} />}
      {outcome?.sentence && <p class="demo-progress">{outcome.sentence}</p>}
      {job !== null && !outcome?.map && (
        <div class="demo-progress">
          <JobProgress
            key={job}
            jobId={job}
            onDone={(done) => {
              setOutcome({ map: text(done.result["map"]) || null, sentence: text(done.result["sentence"]) });
              onDone();
            }}
          />
        </div>
      )}
    </section>
  );
}
