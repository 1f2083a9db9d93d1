// Where photos are dropped or chosen, sent, and read; and what came of it.
import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { JobProgress } from "../jobs/JobProgress";
import type { Job } from "../jobs/types";
import { call, post } from "../ui/api";
import { Button, ErrorNote, Icon, Progress, toast } from "../ui/components";
import { plural } from "../ui/format";
import { photosIn, sendAll } from "./sender";
import type { Refused } from "./sender";
import type { ReadReport } from "./types";

interface DropProps {
  set: string;
  mostBytes: number;
  /** Some photos were read. */
  onRead: () => void;
}

/** Send photos. */
export function PhotoDrop({ set, mostBytes, onRead }: DropProps): JSX.Element {
  const [over, setOver] = useState(false);
  const [sending, setSending] = useState<{ done: number; all: number } | null>(null);
  const [job, setJob] = useState<string | null>(null);
  const [notSent, setNotSent] = useState<Refused[]>([]);
  const [report, setReport] = useState<ReadReport | null>(null);
  const [error, setError] = useState<unknown>(null);
  const chooser = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const busy = sending !== null || job !== null;

  const take = async (files: readonly File[]): Promise<void> => {
    const { photos, others } = photosIn(files);
    if (others > 0) toast(`${plural(others, "file")} passed over: no JPEG.`, "warn");
    if (photos.length === 0) return;
    setError(null);
    setReport(null);
    setSending({ done: 0, all: photos.length });
    try {
      const to = (file: File): Promise<{ file: string }> => call("POST", `/api/photo-sets/${set}/files`, file, { headers: { "Content-Type": "application/octet-stream" } });
      const { sent, refused } = await sendAll(photos, to, (done) => setSending({ done, all: photos.length }), mostBytes);
      setNotSent(refused);
      if (sent.length > 0) setJob((await post<{ job: string }>(`/api/photo-sets/${set}/read`, { files: sent })).job);
    } catch (failure) {
      setError(failure);
    } finally {
      setSending(null);
    }
  };
  const done = (ended: Job): void => {
    setJob(null);
    if (ended.state === "succeeded") setReport(ended.result as unknown as ReadReport);
    else setError(new Error(ended.error?.message ?? "The job was cancelled; photos that were read by then are here."));
    onRead();
  };
  const chosen = (event: { currentTarget: HTMLInputElement }): void => {
    void take([...(event.currentTarget.files ?? [])]);
    event.currentTarget.value = "";
  };

  return (
    <section class="stack" aria-label="Add photos">
      <div
        class={over ? "photo-drop over" : "photo-drop"}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setOver(false);
          if (!busy) void take([...(event.dataTransfer?.files ?? [])]);
        }}
      >
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
          <Progress value={sending.done / sending.all} label="Photos sent" />
          <p class="muted small-text numeric" aria-live="polite">
            {sending.done} of {sending.all} sent
          </p>
        </div>
      )}
      {job && <JobProgress jobId={job} onDone={done} />}
      {error !== null && <ErrorNote error={error} />}
      <Report report={report} notSent={notSent} />
    </section>
  );
}

function Report({ report, notSent }: { report: ReadReport | null; notSent: readonly Refused[] }): JSX.Element | null {
  const refused = [...notSent, ...(report?.refused ?? []).map(({ name, message, fix }) => ({ name, message: `${message} ${fix}`.trim() }))];
  if (!report && refused.length === 0) return null;
  const sentences = report
    ? [
        report.added > 0 ? `${plural(report.added, "photo")} added.` : "",
        report.unplaced.length > 0 ? `${report.unplaced.length} of them without a position: place them on the map.` : "",
        report.doubles.length > 0 ? `${plural(report.doubles.length, "photo")} were here already.` : "",
      ]
    : [];
  return (
    <div class={refused.length > 0 ? "note warn" : "note ok"} role="status">
      <strong>{sentences.filter(Boolean).join(" ") || "Nothing was added."}</strong>
      {refused.length > 0 && (
        <ul class="photo-refused small-text">
          {refused.slice(0, 20).map((item, index) => (
            <li key={index}>
              <strong class="break-anywhere">{item.name}</strong> {item.message}
            </li>
          ))}
          {refused.length > 20 && <li>and {refused.length - 20} more</li>}
        </ul>
      )}
    </div>
  );
}
