// Running a failed or cancelled job again.
import { useState } from "preact/hooks";
import type { JSX } from "preact";
import { asApiError, post } from "../ui/api";
import type { ApiError } from "../ui/api";
import { Button, ErrorNote } from "../ui/components";
import type { Job } from "./types";

/** True for a job that ended without a result. */
export function endedBadly(job: Pick<Job, "state">): boolean {
  return job.state === "failed" || job.state === "cancelled";
}

/** A button that queues a new job with the same spec, and says so where its inputs are gone. */
export function RunAgain({ job, goesOn, onStarted }: { job: Job; goesOn: boolean; onStarted: (job: Job) => void }): JSX.Element {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const start = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      onStarted(await post<Job>(`/api/jobs/${job.id}/restart/`));
    } catch (failure) {
      setError(asApiError(failure));
      setBusy(false);
    }
  };
  return (
    <div class="job-again">
      <div class="row">
        <Button busy={busy} onClick={() => void start()}>
          Run again
        </Button>
        <span class="muted small-text">
          {goesOn ? "A new job with the same settings; it goes on from the last finished epoch while that is kept." : "A new job with the same settings, from the beginning."}
        </span>
      </div>
      {error && <ErrorNote error={error} />}
    </div>
  );
}
