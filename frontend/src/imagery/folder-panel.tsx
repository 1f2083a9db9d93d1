// Imagery of folders on the server: open one, choose rasters, follow the batch.
import type { JSX } from "preact";
import { useCallback, useEffect, useState } from "preact/hooks";
import { JobProgress } from "../jobs/JobProgress";
import type { Job } from "../jobs/types";
import { get, post } from "../ui/api";
import { Badge, Button, Checkbox, EmptyState, ErrorNote, Icon, Progress, Select, Spinner, TextInput } from "../ui/components";
import { bytes, plural } from "../ui/format";
import { AT_ONCE, fresh, listingUrl, reportOf, rowsOf } from "./folder";
import type { Answer, Entry, Listing, Taken } from "./folder";

interface FolderPanelProps {
  folders: string[];
  projects: { id: string; name: string }[];
  project: string;
  onProject: (id: string) => void;
}

/** Add imagery of the server's own folders. */
export function FolderPanel({ folders, projects, project, onProject }: FolderPanelProps): JSX.Element {
  const [folder, setFolder] = useState(folders.length === 1 ? (folders[0] ?? null) : null);
  const [listing, setListing] = useState<Listing | null>(null);
  const [chosen, setChosen] = useState<string[]>([]);
  const [attribution, setAttribution] = useState("");
  const [epsg, setEpsg] = useState("");
  const [rows, setRows] = useState<Taken[]>([]);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);

  const list = useCallback((): void => {
    setError(null);
    get<Listing>(listingUrl(project, folder)).then(setListing, setError);
  }, [project, folder]);
  useEffect(() => {
    setListing(null);
    setChosen([]);
    if (folders.length > 0) list();
  }, [folders.length, list]);
  const { done } = reportOf(rows);
  // What was taken is in the project now.
  useEffect(() => {
    if (done > 0) list();
  }, [done, list]);

  const take = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      const options = attribution.trim() === "" ? {} : { attribution: attribution.trim() };
      for (let left = chosen; left.length > 0; left = left.slice(AT_ONCE)) {
        const names = left.slice(0, AT_ONCE);
        const body = { project, folder, names, epsg: epsg.trim().replace(/^EPSG:/i, ""), options };
        const answer = await post<Answer>("/api/imagery/folders", body);
        // What was answered is not sent for again, whatever becomes of the rest.
        setRows((all) => [...all.filter((row) => !names.includes(row.name)), ...rowsOf(answer)]);
        setChosen((all) => all.filter((name) => !names.includes(name)));
      }
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };

  const ended = useCallback((job: Job): void => {
    const { url } = job.result;
    const outcome =
      job.state === "succeeded"
        ? ({ state: "done", url: typeof url === "string" ? url : "" } as const)
        : ({ state: "failed", message: job.error?.message ?? job.message, fix: job.error?.fix ?? "" } as const);
    setRows((all) => all.map((row) => (row.job === job.id ? { ...row, outcome } : row)));
  }, []);

  if (folders.length === 0) {
    return (
      <EmptyState title="No folder of the server is open">
        An administrator names folders with imagery in the setting QUADRAT_IMPORT_FOLDERS. Until then, upload the files.
      </EmptyState>
    );
  }
  const going = rows.some((row) => row.outcome.state === "going");
  return (
    <div class="stack">
      <div class="form-grid">
        <Select label="Project" value={project} options={projects.map((row) => ({ value: row.id, label: row.name }))} onChange={onProject} disabled={going} />
        <TextInput label="Attribution" value={attribution} onChange={setAttribution} maxLength={500} placeholder="© Whose imagery, and its licence" />
        <TextInput label="EPSG code of world files" value={epsg} onChange={setEpsg} placeholder="32633" maxLength={12} hint="For PNG and JPEG; a GeoTIFF says its own." />
      </div>
      {rows.length > 0 && <Batch rows={rows} onEnd={ended} />}
      {error !== null && <ErrorNote error={error} retry={listing === null ? list : undefined} />}
      {listing === null && error === null && <Spinner label="Reading the folder" />}
      {listing && <Contents listing={listing} chosen={chosen} onChoose={setChosen} onOpen={setFolder} />}
      {listing?.folder && (
        <div class="actions">
          <Button kind="primary" busy={busy} disabled={chosen.length === 0} onClick={() => void take()}>
            Add {plural(chosen.length, "file")}
          </Button>
        </div>
      )}
    </div>
  );
}

interface ContentsProps {
  listing: Listing;
  chosen: string[];
  onChoose: (names: string[]) => void;
  onOpen: (folder: string | null) => void;
}

function Contents({ listing, chosen, onChoose, onOpen }: ContentsProps): JSX.Element {
  if (listing.folder === null) {
    return (
      <section class="card" aria-label="Open folders">
        <ul class="folder-list">
          {listing.folders.map((path) => (
            <FolderRow key={path} name={path} onOpen={() => onOpen(path)} />
          ))}
        </ul>
      </section>
    );
  }
  const { folder } = listing;
  const all = fresh(listing.entries);
  const whole = all.length > 0 && all.every((name) => chosen.includes(name));
  return (
    <section class="card" aria-label={`Folder ${folder}`}>
      <div class="row folder-head">
        {(listing.up !== null || listing.folders.length > 1) && (
          <Button small onClick={() => onOpen(listing.up)}>
            Up
          </Button>
        )}
        <strong class="truncate">{folder}</strong>
        <span class="spacer" />
        {all.length > 1 && (
          <Checkbox label={`All ${all.length} new`} checked={whole} onChange={(on) => onChoose(on ? all : [])} />
        )}
      </div>
      {listing.left_out > 0 && (
        <p class="muted small-text">
          {plural(listing.left_out, "more file")} of this folder {listing.left_out === 1 ? "is" : "are"} not listed: add these first, or take the
          whole folder with <code>manage.py ingest</code>.
        </p>
      )}
      {listing.entries.length === 0 && <p class="muted">No GeoTIFF, PNG or JPEG, and no folder.</p>}
      <ul class="folder-list">
        {listing.entries.map((row) =>
          row.kind === "folder" ? (
            <FolderRow key={row.name} name={row.name} onOpen={() => onOpen(`${folder}/${row.name}`)} />
          ) : (
            <FileRow
              key={row.name}
              row={row}
              checked={chosen.includes(row.name)}
              onChange={(on) => onChoose(on ? [...chosen, row.name] : chosen.filter((name) => name !== row.name))}
            />
          ),
        )}
      </ul>
    </section>
  );
}

function FolderRow({ name, onOpen }: { name: string; onOpen: () => void }): JSX.Element {
  return (
    <li class="row">
      <Button small kind="quiet" onClick={onOpen}>
        <Icon name="layers" /> {name}
      </Button>
    </li>
  );
}

function FileRow({ row, checked, onChange }: { row: Entry; checked: boolean; onChange: (on: boolean) => void }): JSX.Element {
  return (
    <li class="row">
      <Checkbox label={row.name} checked={checked} onChange={onChange} />
      <span class="spacer" />
      {row.known && <Badge>In the project</Badge>}
      <span class="muted numeric">{bytes(row.size_bytes)}</span>
    </li>
  );
}

// Each job that is followed has a connection of its own; they run in order, so the rest needs none yet.
const MOST_FOLLOWED = 4;

function Batch({ rows, onEnd }: { rows: Taken[]; onEnd: (job: Job) => void }): JSX.Element {
  const report = reportOf(rows);
  const followed = rows.filter((row) => row.outcome.state === "going").slice(0, MOST_FOLLOWED);
  const over = report.done + report.failed.length === report.of;
  return (
    <section class="card stack" aria-label="Batch">
      <div class="row">
        <strong>
          {report.done} of {plural(report.of, "file")} taken{report.failed.length > 0 && `, ${report.failed.length} refused`}
        </strong>
        <span class="spacer" />
        {over && <Badge tone={report.failed.length > 0 ? "warn" : "ok"}>{report.failed.length > 0 ? "Ended" : "Ready"}</Badge>}
      </div>
      {!over && <Progress value={report.share} label="The batch" />}
      <ul class="folder-list">
        {rows.map((row) => (
          <li key={`${row.job} ${row.name}`}>
            {followed.includes(row) && <JobProgress jobId={row.job} onDone={onEnd} />}
            {row.outcome.state === "going" && !followed.includes(row) && <span class="muted">{row.name} waits</span>}
            {row.outcome.state === "done" && (
              <div class="row">
                <span class="truncate">{row.name}</span>
                <span class="spacer" />
                <Button small href={row.outcome.url}>
                  Open
                </Button>
              </div>
            )}
            {row.outcome.state === "failed" && (
              <div class="note warn">
                <strong>{row.name}</strong> {row.outcome.message} {row.outcome.fix}
              </div>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
