// Where photos are dropped or chosen, sent, and read; and what came of it.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { JobProgress } from "../jobs/JobProgress";
import type { Job } from "../jobs/types";
import { asApiError, call, post } from "../ui/api";
import { Button, ErrorNote, Icon, Progress, toast } from "../ui/components";
import { useDrop } from "../ui/drop";
import { plural } from "../ui/format";
import { pause } from "./connection";
import { joined, Report } from "./report";
import { photosIn, sendAll, withMore } from "./sender";
import type { Ports, Refused, Rest } from "./sender";
import type { ReadReport } from "./types";

interface DropProps {
  set: string;
  mostBytes: number;
  /** Some photos were read. */
  onRead: () => void;
}

interface Going {
  done: number;
  all: number;
}

const NOTHING: Rest = { files: [], unread: [] };

/** Send photos. */
export function PhotoDrop({ set, mostBytes, onRead }: DropProps): JSX.Element {
  const [sending, setSending] = useState<Going | null>(null);
  const [pausing, setPausing] = useState(0);
  const [jobs, setJobs] = useState<string[]>([]);
  const [rest, setRest] = useState(NOTHING);
  const [notSent, setNotSent] = useState<Refused[]>([]);
  const [report, setReport] = useState<ReadReport | null>(null);
  const [failure, setFailure] = useState<unknown>(null);
  const [jobFailure, setJobFailure] = useState<unknown>(null);
  const chooser = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const left = rest.files.length + rest.unread.length;
  const busy = sending !== null || jobs.length > 0;
  const job = jobs[0];

  const unsaved = sending !== null || left > 0;
  useEffect(() => {
    if (!unsaved) return undefined;
    const warn = (event: BeforeUnloadEvent): void => event.preventDefault();
    window.addEventListener("beforeunload", warn);
    return () => window.removeEventListener("beforeunload", warn);
  }, [unsaved]);

  const send = async (todo: Rest): Promise<void> => {
    const all = todo.files.length;
    setFailure(null);
    setRest(NOTHING);
    setSending({ done: 0, all });
    const ports: Ports = {
      post: (file) => call("POST", `/api/photo-sets/${set}/files`, file, { headers: { "Content-Type": "application/octet-stream" } }),
      read: async (files) => {
        const started = await post<{ job: string }>(`/api/photo-sets/${set}/read`, { files });
        setJobs((now) => [...now, started.job]);
      },
      onSent: (done) => setSending({ done, all }),
      pause: async (ms) => {
        setPausing((lanes) => lanes + 1);
        await pause(ms);
        setPausing((lanes) => lanes - 1);
      },
    };
    const came = await sendAll(todo, ports, mostBytes);
    setNotSent((now) => [...now, ...came.refused]);
    setRest(came.rest);
    setFailure(came.failure);
    setSending(null);
  };
  const take = (files: readonly File[]): void => {
    const { photos, others } = photosIn(files);
    if (others > 0) toast(`${plural(others, "file")} passed over: no JPEG.`, "warn");
    if (photos.length === 0) return;
    if (left === 0) {
      setReport(null);
      setNotSent([]);
      setJobFailure(null);
    }
    void send(withMore(rest, photos));
  };
  const { over, handlers } = useDrop((files) => {
    if (!busy) take(files);
  });
  const done = (ended: Job): void => {
    setJobs((now) => now.filter((id) => id !== ended.id));
    if (ended.state === "succeeded") setReport((now) => joined(now, ended.result as unknown as ReadReport));
    else setJobFailure(new Error(ended.error?.message ?? "The job was cancelled; photos that were read by then are here."));
    onRead();
  };
  const chosen = (event: { currentTarget: HTMLInputElement }): void => {
    take([...(event.currentTarget.files ?? [])]);
    event.currentTarget.value = "";
  };

  return (
    <section class="stack" aria-label="Add photos">
      <div class={over ? "photo-drop over" : "photo-drop"} {...handlers}>
        <Icon name="camera" />
        <p>
          <strong>Drop JPEG photos here</strong>
          <br />
          <span class="muted">Each stands where its camera was, by its GPS position</span>
        </p>
        <div class="row">
          <Button disabled={busy} onClick={() => chooser.current?.click()}>
            Choose photos
          </Button>
          <Button disabled={busy} onClick={() => folder.current?.click()}>
            Choose a folder
          </Button>
        </div>
        <input ref={chooser} type="file" multiple class="visually-hidden" aria-label="Choose photos" tabIndex={-1} accept=".jpg,.jpeg,image/jpeg" onChange={chosen} />
        <input ref={folder} type="file" multiple {...{ webkitdirectory: true }} class="visually-hidden" aria-label="Choose a folder" tabIndex={-1} onChange={chosen} />
      </div>
      {sending && (
        <div>
          <Progress value={sending.all > 0 ? sending.done / sending.all : null} label="Photos sent" />
          <p class="muted small-text numeric" aria-live="polite">
            {sending.done} of {sending.all} sent
            {pausing > 0 && "; the server cannot be reached, trying again"}
          </p>
        </div>
      )}
      {job !== undefined && <JobProgress key={job} jobId={job} onDone={done} />}
      {jobs.length > 1 && <p class="muted small-text">{plural(jobs.length - 1, "more job")} after it</p>}
      {jobFailure !== null && <ErrorNote error={jobFailure} />}
      {failure !== null && left > 0 && <Interrupted failure={failure} rest={rest} busy={busy} onSend={() => void send(rest)} />}
      {(report !== null || !busy) && <Report report={report} notSent={notSent} />}
    </section>
  );
}

function Interrupted(props: { failure: unknown; rest: Rest; busy: boolean; onSend: () => void }): JSX.Element {
  const told = asApiError(props.failure);
  const { files, unread } = props.rest;
  const left = [files.length > 0 ? `${plural(files.length, "photo")} not sent` : "", unread.length > 0 ? `${plural(unread.length, "photo")} sent and not read yet` : ""];
  return (
    <div class="note error" role="alert">
      <strong>
        {told.message} {left.filter(Boolean).join(", ")}.
      </strong>
      {told.fix && <p>{told.fix}</p>}
      <p>
        <Button small disabled={props.busy} onClick={props.onSend}>
          Send the rest
        </Button>
      </p>
    </div>
  );
}
