// One job: bar, facts, log.
import { useEffect, useRef, useState } from "preact/hooks";
import type { JSX } from "preact";
import { Button, ErrorNote, Spinner } from "../ui/components";
import { date, duration } from "../ui/format";
import { JobBar } from "./JobProgress";
import { useJob } from "./live";
import { RunAgain, endedBadly } from "./restart";
import { isFinished, resultUrl, secondsOf } from "./state";
import type { Job, JobEvent } from "./types";

export interface DetailConfig {
  job: Job;
  may_cancel: boolean;
  may_restart: boolean;
  /** A restart goes on from what was stored. */
  goes_on: boolean;
  /** Page of the job that this one runs again. */
  restarts: string | null;
  /** Page of the job that runs this one again. */
  restarted_by: string | null;
}

/** The page `/jobs/<id>/`. */
export function JobDetail(config: DetailConfig): JSX.Element {
  const { job: initial } = config;
  const live = useJob(initial.id, initial);
  const job = live.job ?? initial;
  const result = resultUrl(job);
  return (
    <div class="stack">
      <div class="page-head">
        <h1>{job.title}</h1>
        {job.state === "succeeded" && result && (
          <div class="actions">
            <Button kind="primary" href={result}>
              Open the result
            </Button>
          </div>
        )}
      </div>
      {live.error && <ErrorNote error={live.error} />}
      <div class="card">
        <JobBar live={live} job={job} mayCancel={config.may_cancel} />
        {endedBadly(job) && config.may_restart && config.restarted_by === null && (
          <RunAgain job={job} goesOn={config.goes_on} onStarted={(again) => window.location.assign(again.url)} />
        )}
      </div>
      {config.restarted_by !== null && (
        <p class="note">
          This was run again: <a href={config.restarted_by}>open the newer job</a>.
        </p>
      )}
      {config.restarts !== null && (
        <p class="note">
          This runs <a href={config.restarts}>an earlier job</a> again.
        </p>
      )}
      <div class="job-layout">
        <section class="card" aria-labelledby="log-title">
          <h2 id="log-title">Log</h2>
          <Log events={live.events} />
        </section>
        <Facts job={job} />
      </div>
    </div>
  );
}

function Facts({ job }: { job: Job }): JSX.Element {
  const [now, setNow] = useState(() => Date.now());
  const finished = isFinished(job);
  useEffect(() => {
    if (finished) return undefined;
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [finished]);
  return (
    <dl class="facts card">
      <dt>Kind</dt>
      <dd>{job.kind.replaceAll("_", " ")}</dd>
      <dt>Project</dt>
      <dd>{job.project ? <a href={`/projects/${job.project}/`}>{job.project_name}</a> : "–"}</dd>
      <dt>Started by</dt>
      <dd>{job.created_by ?? "–"}</dd>
      <dt>Attempt</dt>
      <dd>{job.attempt === 0 ? "–" : `${job.attempt} of ${job.max_attempts}`}</dd>
      <dt>Queued</dt>
      <dd>{date(job.created_at)}</dd>
      <dt>Started</dt>
      <dd>{date(job.started_at)}</dd>
      <dt>Finished</dt>
      <dd>{date(job.finished_at)}</dd>
      <dt>Took</dt>
      <dd>{duration(secondsOf(job, now))}</dd>
    </dl>
  );
}

function Log({ events }: { events: JobEvent[] }): JSX.Element {
  const listRef = useRef<HTMLOListElement>(null);
  const pinnedRef = useRef(true);
  useEffect(() => {
    if (pinnedRef.current && listRef.current) listRef.current.scrollTop = listRef.current.scrollHeight;
  }, [events]);
  if (events.length === 0) return <Spinner label="Loading the log" />;
  return (
    <ol
      class="job-log"
      ref={listRef}
      tabIndex={0}
      aria-label="Lines of the log"
      onScroll={(event) => {
        const box = event.currentTarget;
        pinnedRef.current = box.scrollHeight - box.scrollTop - box.clientHeight < 24;
      }}
    >
      {events.map((event) => (
        <li key={event.seq} class={event.level}>
          <time dateTime={event.at}>{new Date(event.at).toLocaleTimeString("en-GB")}</time>
          <span>{event.text}</span>
        </li>
      ))}
    </ol>
  );
}
