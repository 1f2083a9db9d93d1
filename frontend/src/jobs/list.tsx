// The list of jobs, live, with filters that live in the address.
import { useEffect, useState } from "preact/hooks";
import type { JSX } from "preact";
import { asApiError, get } from "../ui/api";
import type { ApiError } from "../ui/api";
import { Badge, Button, EmptyState, ErrorNote, Progress, Select, Spinner, Table } from "../ui/components";
import type { Column } from "../ui/components";
import { ago, duration } from "../ui/format";
import { openLive } from "../ui/live";
import type { LiveState } from "../ui/live";
import { doingText, fits, merge, secondsOf, stateText, toneOf } from "./state";
import type { Job, JobsMessage } from "./types";

export interface ListConfig {
  projects: { id: string; name: string }[];
}

const STATES = [
  { value: "", label: "All states" },
  { value: "unfinished", label: "Unfinished" },
  { value: "queued", label: "Queued" },
  { value: "running", label: "Running" },
  { value: "succeeded", label: "Succeeded" },
  { value: "failed", label: "Failed" },
  { value: "cancelled", label: "Cancelled" },
];

interface Page {
  results: Job[];
  next: string | null;
}

function columns(now: number): Column<Job>[] {
  return [
    {
      key: "title",
      label: "Job",
      render: (job) => (
        <div class="jobs-cell">
          <a href={job.url}>{job.title}</a>
          <span class="muted small-text">{doingText(job)}</span>
        </div>
      ),
    },
    {
      key: "state",
      label: "State",
      render: (job) => (
        <div class="jobs-state">
          <Badge tone={toneOf(job.state)}>{stateText(job)}</Badge>
          {(job.state === "running" || job.state === "publishing") && <Progress value={job.progress} label={`Progress of ${job.title}`} />}
        </div>
      ),
    },
    {
      key: "project",
      label: "Project",
      hideNarrow: true,
      render: (job) => (job.project ? <a class="plain" href={`/projects/${job.project}/`}>{job.project_name}</a> : "–"),
    },
    { key: "by", label: "Started by", hideNarrow: true, render: (job) => job.created_by ?? "–" },
    { key: "when", label: "Queued", hideNarrow: true, render: (job) => <span class="nowrap">{ago(job.created_at, now)}</span> },
    { key: "took", label: "Took", align: "right", hideNarrow: true, render: (job) => <span class="nowrap">{duration(secondsOf(job, now))}</span> },
  ];
}

function useNow(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 5000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

/** The page `/jobs/`. */
export function JobList({ projects }: ListConfig): JSX.Element {
  const query = new URLSearchParams(window.location.search);
  const [state, setState] = useState(query.get("state") ?? "");
  const [project, setProject] = useState(query.get("project") ?? "");
  const [jobs, setJobs] = useState<Job[] | null>(null);
  const [next, setNext] = useState<string | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [connection, setConnection] = useState<LiveState>("connecting");
  const [tries, setTries] = useState(0);
  const now = useNow();

  useEffect(() => {
    const wanted = new URLSearchParams(Object.entries({ state, project }).filter(([, value]) => value !== ""));
    history.replaceState(null, "", wanted.size ? `?${wanted.toString()}` : window.location.pathname);
    const stopper = new AbortController();
    setError(null);
    get<Page>(`/api/jobs/?${wanted.toString()}`, { signal: stopper.signal }).then(
      (page) => {
        setJobs(page.results);
        setNext(page.next);
      },
      (failure: unknown) => {
        if (!stopper.signal.aborted) setError(asApiError(failure));
      },
    );
    const live = openLive<JobsMessage>(project ? `/ws/jobs/?project=${project}` : "/ws/jobs/", {
      onMessage: (message) => {
        if (message.type === "jobs") setJobs((known) => (known === null ? known : merge(known, message.jobs)));
      },
      onState: setConnection,
    });
    return () => {
      stopper.abort();
      live.stop();
    };
  }, [state, project, tries]);

  const more = async (): Promise<void> => {
    if (next === null) return;
    try {
      const page = await get<Page>(next);
      setJobs((known) => merge(known ?? [], page.results));
      setNext(page.next);
    } catch (failure) {
      setError(asApiError(failure));
    }
  };

  const shown = jobs?.filter((job) => fits(job, state, project));
  return (
    <div class="stack">
      <div class="page-head">
        <h1>Jobs</h1>
        {connection !== "connecting" && <Badge tone={connection === "live" ? "ok" : "warn"}>{connection}</Badge>}
      </div>
      <div class="jobs-filters">
        <Select label="State" value={state} options={STATES} onChange={setState} />
        <Select
          label="Project"
          value={project}
          options={[{ value: "", label: "All projects" }, ...projects.map((row) => ({ value: row.id, label: row.name }))]}
          onChange={setProject}
        />
      </div>
      {error && <ErrorNote error={error} retry={() => setTries(tries + 1)} />}
      {!error && shown === undefined && <Spinner label="Loading jobs" />}
      {shown && shown.length > 0 && <Table label="Jobs" columns={columns(now)} rows={shown} rowKey={(job) => job.id} />}
      {shown && shown.length === 0 && <Nothing filtered={state !== "" || project !== ""} clear={() => { setState(""); setProject(""); }} />}
      {next !== null && (
        <div class="jobs-more">
          <Button onClick={() => void more()}>Show older jobs</Button>
        </div>
      )}
    </div>
  );
}

function Nothing({ filtered, clear }: { filtered: boolean; clear: () => void }): JSX.Element {
  if (filtered) {
    return (
      <EmptyState title="No job fits" actions={<Button onClick={clear}>Show all jobs</Button>}>
        No job has this state in this project.
      </EmptyState>
    );
  }
  return (
    <EmptyState title="No jobs yet" actions={<Button kind="primary" href="/">Go to content</Button>}>
      Long work is listed here as it runs: adding imagery, exporting training data, training a model, running it over a scene.
    </EmptyState>
  );
}
