// The demo: the whole loop as one job, from labels to a finished map.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { JobProgress } from "../jobs/JobProgress";
import { post } from "../ui/api";
import { Button, ErrorNote, IconButton } from "../ui/components";

const STEPS = ["Labels", "Training data", "Training", "Inference", "Map"];

/** Offers the demo, shows how it goes, and links to its map. */
export function DemoCard({ onHide, onDone }: { onHide: () => void; onDone: () => void }): JSX.Element {
  const [job, setJob] = useState<string | null>(null);
  const [map, setMap] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const start = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    setMap(null);
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
        {map !== null && (
          <Button kind="primary" href={map}>
            Open the map
          </Button>
        )}
        <Button kind={map === null ? "primary" : "normal"} busy={busy} disabled={job !== null && map === null} onClick={() => void start()}>
          {map === null ? "Run the demo" : "Run again"}
        </Button>
        <IconButton label="Hide the demo" icon="close" onClick={onHide} />
      </div>
      {error !== null && <ErrorNote error={error} />}
      {job !== null && map === null && (
        <div class="demo-progress">
          <JobProgress
            key={job}
            jobId={job}
            onDone={(done) => {
              const told = done.result["map"];
              if (typeof told === "string") setMap(told.startsWith("/") ? told : `/maps/${told}/`);
              else setJob(null);
              onDone();
            }}
          />
        </div>
      )}
    </section>
  );
}
