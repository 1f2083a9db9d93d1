// The page of a run: its job, live curves, epochs, settings, and the model it made.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { JSX } from "preact";
import { JobBar } from "../jobs/JobProgress";
import { useJob } from "../jobs/live";
import { endedBadly } from "../jobs/restart";
import { isFinished } from "../jobs/state";
import type { Job } from "../jobs/types";
import { del, get } from "../ui/api";
import { Badge, Button, ErrorNote, Menu } from "../ui/components";
import { DeleteDialog } from "../ui/delete-dialog";
import { date } from "../ui/format";
import { Chart } from "./chart";
import { lastFinished, lossCurves, mergeEpochs, metricCurves } from "./curves";
import { ClassTable, EpochTable, MetricFacts } from "./metrics";
import type { Epoch, Run } from "./types";

export interface RunConfig {
  run: Run;
  epochs: Epoch[];
  may_delete: boolean;
}

/** Between two reads of the curves while the job tells of progress. */
const READ_EVERY_MS = 1000;

const NAMES: Record<string, string> = {
  epochs: "Epochs",
  batch_size: "Chips per batch",
  learning_rate: "Learning rate",
  weight_decay: "Weight decay",
  patience: "Patience (epochs)",
  min_delta: "Least progress",
  seed: "Seed",
  pretrained: "ImageNet weights",
  augment: "Augmentation",
  class_weights: "Class weights",
  threads: "Threads",
  device: "Device",
};

/** A setting's value in words. */
function settingText(key: string, value: unknown): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  // 0 threads and the device "auto" both leave the choice to the machine.
  if ((key === "threads" && value === 0) || value === "auto") return "automatic";
  return String(value);
}

export function RunPage({ run: initial, epochs: known, may_delete: mayDelete }: RunConfig): JSX.Element {
  return initial.job ? (
    <LiveRun initial={initial} known={known} job={initial.job} mayDelete={mayDelete} />
  ) : (
    <RunView run={initial} epochs={known} progress={null} mayDelete={mayDelete} />
  );
}

/** Follows the job: each word of it is a hint to read the epochs that are not known yet. */
function LiveRun({ initial, known, job, mayDelete }: { initial: Run; known: Epoch[]; job: Job; mayDelete: boolean }): JSX.Element {
  const live = useJob(job.id, job);
  const [run, setRun] = useState(initial);
  const [epochs, setEpochs] = useState(known);
  const [error, setError] = useState<unknown>(null);
  const after = useRef(lastFinished(known));
  const readAt = useRef(0);
  const done = live.job ? isFinished(live.job) : false;
  const hint = live.job ? `${live.job.state} ${live.job.progress} ${live.job.message}` : "";

  useEffect(() => {
    const stopper = new AbortController();
    const read = async (): Promise<void> => {
      readAt.current = Date.now();
      try {
        const told = await get<{ results: Epoch[] }>(`/api/runs/${initial.id}/epochs?after=${after.current}`, { signal: stopper.signal });
        setEpochs((before) => {
          const merged = mergeEpochs(before, told.results);
          after.current = lastFinished(merged);
          return merged;
        });
        if (done || told.results.some((epoch) => epoch.finished)) {
          setRun(await get<Run>(`/api/runs/${initial.id}/`, { signal: stopper.signal }));
        }
        setError(null);
      } catch (failure) {
        if (!stopper.signal.aborted) setError(failure);
      }
    };
    const wait = Math.max(0, READ_EVERY_MS - (Date.now() - readAt.current));
    const timer = setTimeout(() => void read(), wait);
    return () => {
      clearTimeout(timer);
      // A read that is under way ends with the page only: its answer is as good as the next one's.
      if (done) stopper.abort();
    };
  }, [hint, done, initial.id]);

  const bar = live.job ? (
    <>
      <JobBar live={live} job={live.job} mayCancel />
      {endedBadly(live.job) && (
        <p>
          <a href={live.job.url}>Open the job</a> for its log, or to run it again.
        </p>
      )}
    </>
  ) : null;
  return (
    <RunView
      run={run}
      epochs={epochs}
      mayDelete={mayDelete}
      progress={
        <>
          {error !== null && !done && <ErrorNote error={error} />}
          {live.job?.state === "succeeded" ? null : bar}
        </>
      }
    />
  );
}

interface RunViewProps {
  run: Run;
  epochs: Epoch[];
  progress: JSX.Element | null;
  mayDelete: boolean;
}

function RunView({ run, epochs, progress, mayDelete }: RunViewProps): JSX.Element {
  const [deleting, setDeleting] = useState(false);
  const loss = useMemo(() => lossCurves(epochs), [epochs]);
  const metrics = useMemo(() => metricCurves(epochs, run.task), [epochs, run.task]);
  const finished = lastFinished(epochs);
  const wanted = Number(run.settings["epochs"] ?? 0);
  return (
    <div class="stack">
      <div class="page-head">
        <h1>{run.name}</h1>
        <Badge>{run.network === "unet" ? "U-Net" : "RetinaNet"}</Badge>
        <div class="actions">
          {run.package && (
            <Button kind="primary" href={run.package.url}>
              Open the model
            </Button>
          )}
          {mayDelete && (
            <Menu end label="More" items={[{ label: "Delete", icon: "trash", danger: true, onSelect: () => setDeleting(true) }]} />
          )}
        </div>
      </div>
      {progress}
      {run.package && finished < wanted && (
        <p class="note" role="status">
          Stopped early after epoch {finished} of {wanted}: {Number(run.settings["patience"])} epochs brought no progress. The
          weights of epoch {run.best_epoch} were kept.
        </p>
      )}
      <div class="run-charts">
        <section class="card">
          <h2>Loss</h2>
          {loss.x.length > 0 ? <Chart label="Training and validation loss by epoch" curves={loss} /> : <p class="muted">The first points appear with the first batches.</p>}
        </section>
        <section class="card">
          <h2>Held-out chips</h2>
          {metrics.x.length > 0 ? <Chart label="Metrics on the validation chips by epoch" curves={metrics} unit /> : <p class="muted">The first point appears when an epoch has ended.</p>}
        </section>
      </div>
      <div class="run-columns">
        <section class="card">
          <h2>Best epoch{run.best_epoch ? `: ${run.best_epoch}` : ""}</h2>
          {run.best_epoch ? (
            <>
              <MetricFacts task={run.task} metrics={run.metrics} />
              {run.metrics.per_class && run.metrics.per_class.length > 1 && <ClassTable task={run.task} rows={run.metrics.per_class} />}
            </>
          ) : (
            <p class="muted">None has ended yet.</p>
          )}
        </section>
        <section class="card">
          <h2>Settings</h2>
          <dl class="facts">
            <dt>Training data</dt>
            <dd>
              <a href={run.training_data.url}>{run.training_data.name}</a>
            </dd>
            {Object.entries(run.settings).map(([key, value]) => (
              <>
                <dt key={`${key}-name`}>{NAMES[key] ?? key}</dt>
                <dd key={key} class="numeric">
                  {settingText(key, value)}
                </dd>
              </>
            ))}
            <dt>Started</dt>
            <dd>
              {date(run.created_at)}
              {run.created_by ? ` by ${run.created_by}` : ""}
            </dd>
          </dl>
        </section>
      </div>
      {deleting && (
        <DeleteDialog
          what="run"
          name={run.name}
          consequencesUrl={`/api/runs/${run.id}/deletion`}
          onClose={() => setDeleting(false)}
          onDelete={async () => {
            await del(`/api/runs/${run.id}/`);
            window.location.assign(run.training_data.url);
          }}
        />
      )}
      {finished > 0 && (
        <section class="card">
          <h2>Epochs</h2>
          <EpochTable task={run.task} epochs={epochs} best={run.best_epoch} />
        </section>
      )}
    </div>
  );
}
