// A job's progress wherever it is shown: bar, words, cancel, error with its fix.
import { useEffect, useRef, useState } from "preact/hooks";
import type { JSX } from "preact";
import { post } from "../ui/api";
import { Badge, Button, ErrorNote, Progress, toast } from "../ui/components";
import { percent } from "../ui/format";
import { useJob } from "./live";
import type { LiveJob } from "./live";
import { doingText, isFinished, stateText, toneOf } from "./state";
import type { Job } from "./types";
import "./progress.css";

export interface JobProgressProps {
  jobId: string;
  /** Called once when the job has ended, however it ended. */
  onDone?: ((job: Job) => void) | undefined;
  /** Hide the cancel button from those who may not. */
  mayCancel?: boolean | undefined;
}

/** Follow a job: `<JobProgress jobId={id} onDone={reload} />`. */
export function JobProgress({ jobId, onDone, mayCancel = true }: JobProgressProps): JSX.Element {
  const live = useJob(jobId);
  const toldRef = useRef<string | null>(null);
  const { job } = live;
  useEffect(() => {
    if (!job || !isFinished(job) || toldRef.current === job.id) return;
    toldRef.current = job.id;
    onDone?.(job);
  }, [job, onDone]);
  if (live.error) return <ErrorNote error={live.error} />;
  if (!job) return <Progress label="Loading the job" />;
  return <JobBar live={live} job={job} mayCancel={mayCancel} titled />;
}

/** The bar of a job that is followed already. */
export function JobBar(props: { live: LiveJob; job: Job; mayCancel: boolean; titled?: boolean }): JSX.Element {
  const { job, live } = props;
  const running = job.state === "running" || job.state === "publishing";
  return (
    <div class="job-progress" data-state={job.state}>
      <div class="job-progress-head">
        {props.titled && (
          <a href={job.url} class="truncate">
            {job.title}
          </a>
        )}
        <Badge tone={toneOf(job.state)}>{stateText(job)}</Badge>
        {live.connection === "offline" && !isFinished(job) && <span class="muted small-text">reconnecting…</span>}
        <span class="spacer" />
        {running && <span class="numeric muted">{percent(job.progress, 0)}</span>}
        {props.mayCancel && !isFinished(job) && <CancelButton job={job} onCancelled={live.put} />}
      </div>
      {!isFinished(job) && <Progress value={running ? job.progress : null} label={`Progress of ${job.title}`} />}
      {job.error ? (
        <div class="note error" role="alert">
          <strong>{job.error.message}</strong>
          {job.error.fix && <p>{job.error.fix}</p>}
        </div>
      ) : (
        <p class="muted small-text" aria-live="polite">
          {doingText(job)}
        </p>
      )}
    </div>
  );
}

/** Asks a job to stop. */
export function CancelButton({ job, onCancelled }: { job: Job; onCancelled: (job: Job) => void }): JSX.Element {
  const [busy, setBusy] = useState(false);
  const cancel = async (): Promise<void> => {
    setBusy(true);
    try {
      onCancelled(await post<Job>(`/api/jobs/${job.id}/cancel`));
    } catch (error) {
      toast(error instanceof Error ? error.message : String(error), "bad");
    }
    setBusy(false);
  };
  return (
    <Button small busy={busy} disabled={job.cancel_requested || job.state === "publishing"} onClick={() => void cancel()}>
      {job.cancel_requested ? "Stopping" : "Cancel"}
    </Button>
  );
}
