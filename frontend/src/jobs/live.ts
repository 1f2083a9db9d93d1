// One job, live: read once, then told by the socket.
import { useEffect, useState } from "preact/hooks";
import { asApiError, get } from "../ui/api";
import type { ApiError } from "../ui/api";
import { openLive } from "../ui/live";
import type { LiveState } from "../ui/live";
import { isFinished, mergeEvents, newer } from "./state";
import type { Job, JobEvent, JobMessage } from "./types";

export interface LiveJob {
  job: Job | undefined;
  events: JobEvent[];
  connection: LiveState;
  error: ApiError | null;
  /** Show an answer of the API at once, before the socket tells. */
  put: (job: Job) => void;
}

/** Follow a job until it has ended. */
export function useJob(jobId: string, initial?: Job): LiveJob {
  const [job, setJob] = useState<Job | undefined>(initial);
  const [events, setEvents] = useState<JobEvent[]>([]);
  const [connection, setConnection] = useState<LiveState>("connecting");
  const [error, setError] = useState<ApiError | null>(null);
  const put = (told: Job): void => setJob((known) => newer(known?.id === told.id ? known : undefined, told));

  useEffect(() => {
    const stopper = new AbortController();
    setEvents([]);
    setError(null);
    get<Job>(`/api/jobs/${jobId}/`, { signal: stopper.signal }).then(put, (failure: unknown) => {
      if (!stopper.signal.aborted) setError(asApiError(failure));
    });
    const live = openLive<JobMessage>(`/ws/jobs/${jobId}/`, {
      onMessage: (message) => {
        if (message.type === "events") setEvents((known) => mergeEvents(known, message.events));
        if (message.type !== "job") return;
        put(message.job);
        if (isFinished(message.job)) live.stop(); // the log came before, in the same look
      },
      onState: setConnection,
    });
    return () => {
      stopper.abort();
      live.stop();
    };
  }, [jobId]);
  return { job, events, connection, error, put };
}
