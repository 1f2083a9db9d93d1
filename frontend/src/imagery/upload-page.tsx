// Files of this computer become imagery: choose, place, send, follow.
import type { JSX } from "preact";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { JobProgress } from "../jobs/JobProgress";
import type { Job } from "../jobs/types";
import { call, del, get, post } from "../ui/api";
import { Badge, Button, ErrorNote, Icon, IconButton, Progress, Select, TextInput, toast } from "../ui/components";
import { useDrop } from "../ui/drop";
import { bytes, percent, plural } from "../ui/format";
import { itemOf, sortFiles, unfinished, withWorlds } from "./items";
import type { Item, Phase } from "./items";
import { check, stem, waysFor } from "./position";
import type { Draft, Way } from "./position";
import { send } from "./sender";
import type { UploadPort } from "./sender";
import type { Upload } from "./types";

interface UploadPanelProps {
  projects: { id: string; name: string }[];
  project: string;
  onProject: (id: string) => void;
}

const port: UploadPort = {
  state: (id, signal) => get<Upload>(`/api/uploads/${id}/`, { signal }),
  piece: (id, offset, data, signal) =>
    call<Upload>("PATCH", `/api/uploads/${id}/`, data, { signal, headers: { "Upload-Offset": String(offset) } }),
};

const WORDS: Record<Phase, string> = {
  new: "Not sent yet",
  sending: "Sending",
  waiting: "Waiting for the connection",
  paused: "Paused",
  ingesting: "Reading",
  done: "Ready",
  failed: "Not taken",
};
const TONES = { new: "neutral", sending: "accent", waiting: "warn", paused: "warn", ingesting: "accent", done: "ok", failed: "bad" } as const;

function isAbort(failure: unknown): boolean {
  return failure instanceof DOMException && failure.name === "AbortError";
}

/** Take files. */
export function UploadPanel({ projects, project, onProject }: UploadPanelProps): JSX.Element {
  const [attribution, setAttribution] = useState("");
  const [items, setItems] = useState<Item[]>([]);
  const [open, setOpen] = useState<Upload[]>([]);
  const stopsRef = useRef(new Map<string, AbortController>());
  const countRef = useRef(0);

  const put = useCallback((key: string, change: Partial<Item>): void => {
    setItems((rows) => rows.map((row) => (row.key === key ? { ...row, ...change } : row)));
  }, []);

  useEffect(() => {
    get<{ results: Upload[] }>("/api/uploads/").then(
      (answer) => setOpen(answer.results),
      () => setOpen([]),
    );
  }, []);

  useEffect(() => {
    const busy = items.some((row) => row.phase === "sending" || row.phase === "waiting");
    if (!busy) return undefined;
    const warn = (event: BeforeUnloadEvent): void => event.preventDefault();
    window.addEventListener("beforeunload", warn);
    return () => window.removeEventListener("beforeunload", warn);
  }, [items]);

  const add = async (files: readonly File[]): Promise<void> => {
    const { rasters, worlds, refused } = sortFiles(files);
    if (refused.length > 0) toast(`Not a GeoTIFF, PNG or JPEG: ${refused.slice(0, 3).join(", ")}`, "bad");
    const texts = new Map<string, string>();
    for (const file of worlds) texts.set(stem(file.name), (await file.text()).slice(0, 2000));
    const fresh = rasters.map((file) => {
      countRef.current += 1;
      return itemOf(file, `file-${countRef.current}`, unfinished(open, file, project));
    });
    const resumed = new Set(fresh.map((item) => item.upload?.id));
    setOpen((rows) => rows.filter((row) => !resumed.has(row.id)));
    setItems((rows) => withWorlds([...rows, ...fresh], texts));
  };

  const start = async (item: Item): Promise<void> => {
    const checked = check(item.draft, item.file.name);
    if (!item.upload && !checked.valid) return;
    const stop = new AbortController();
    stopsRef.current.set(item.key, stop);
    put(item.key, { phase: "sending", error: null });
    try {
      const upload =
        item.upload ??
        (await post<Upload>("/api/uploads/", {
          project,
          filename: item.file.name,
          size_bytes: item.file.size,
          position: checked.valid ? checked.position : {},
          options: { name: item.name, attribution },
        }));
      put(item.key, { upload });
      const watcher = {
        onSent: (sent: number) => put(item.key, { sent }),
        onWaiting: (waiting: boolean) => put(item.key, { phase: waiting ? "waiting" : "sending" }),
      };
      const now = await port.state(upload.id, stop.signal);
      await send(item.file, now, port, watcher, stop.signal);
      const { job } = await post<{ job: string }>(`/api/uploads/${upload.id}/complete`);
      put(item.key, { phase: "ingesting", job });
    } catch (failure) {
      if (isAbort(failure)) put(item.key, { phase: "paused" });
      else put(item.key, { phase: "failed", error: failure, upload: null, sent: 0 });
    } finally {
      stopsRef.current.delete(item.key);
    }
  };

  const remove = (item: Item): void => {
    stopsRef.current.get(item.key)?.abort();
    if (item.upload && !item.job) void del(`/api/uploads/${item.upload.id}/`).catch(() => undefined);
    setItems((rows) => rows.filter((row) => row.key !== item.key));
  };

  const drop = async (upload: Upload): Promise<void> => {
    try {
      await del(`/api/uploads/${upload.id}/`);
    } catch {
      toast("The upload was gone already.");
    }
    setOpen((rows) => rows.filter((row) => row.id !== upload.id));
  };

  const startable = items.filter((item) => (item.phase === "new" && check(item.draft, item.file.name).valid) || item.phase === "paused");
  const unplaced = items.filter((item) => item.phase === "new" && !check(item.draft, item.file.name).valid).length;
  return (
    <div class="stack">
      <div class="form-grid">
        <Select
          label="Project"
          value={project}
          options={projects.map((row) => ({ value: row.id, label: row.name }))}
          onChange={onProject}
          disabled={items.some((row) => row.upload !== null)}
        />
        <TextInput
          label="Attribution"
          value={attribution}
          onChange={setAttribution}
          maxLength={500}
          placeholder="© Whose imagery, and its licence"
          hint="Shown on every map with this imagery."
        />
      </div>
      <DropZone onFiles={(files) => void add(files)} />
      <OpenUploads uploads={open} onDrop={(row) => void drop(row)} />
      {items.length > 0 && (
        <>
          <ul class="upload-list" aria-label="Files">
            {items.map((item) => (
              <UploadRow
                key={item.key}
                item={item}
                put={put}
                onStart={() => void start(item)}
                onPause={() => stopsRef.current.get(item.key)?.abort()}
                onRemove={() => remove(item)}
              />
            ))}
          </ul>
          {startable.length + unplaced > 0 && (
            <div class="actions">
              <Button kind="primary" disabled={startable.length === 0} onClick={() => startable.forEach((item) => void start(item))}>
                <Icon name="upload" /> Upload {plural(startable.length, "file")}
              </Button>
              {unplaced > 0 && <span class="muted">{plural(unplaced, "file")} without a position yet</span>}
            </div>
          )}
        </>
      )}
    </div>
  );
}

function DropZone({ onFiles }: { onFiles: (files: File[]) => void }): JSX.Element {
  const { over, handlers } = useDrop(onFiles);
  const chooser = useRef<HTMLInputElement>(null);
  return (
    <div class={over ? "drop-zone over" : "drop-zone"} {...handlers}>
      <Icon name="upload" />
      <p>
        <strong>Drop GeoTIFF, PNG or JPEG files here</strong>
        <br />
        <span class="muted">
          with their world files, if they have any; a drone's view aslant is added <a href="/photos/new">as a photo</a>
        </span>
      </p>
      <Button onClick={() => chooser.current?.click()}>Choose files</Button>
      <input
        ref={chooser}
        type="file"
        multiple
        class="visually-hidden"
        aria-label="Choose files"
        tabIndex={-1}
        accept=".tif,.tiff,.png,.jpg,.jpeg,.tfw,.pgw,.jgw,.wld"
        onChange={(event) => {
          onFiles([...(event.currentTarget.files ?? [])]);
          event.currentTarget.value = "";
        }}
      />
    </div>
  );
}

function OpenUploads({ uploads, onDrop }: { uploads: Upload[]; onDrop: (upload: Upload) => void }): JSX.Element | null {
  if (uploads.length === 0) return null;
  return (
    <section class="note" aria-labelledby="open-title">
      <strong id="open-title">Unfinished uploads</strong>
      <p class="muted">Choose the same file again and it goes on where it stopped.</p>
      <ul class="open-uploads">
        {uploads.map((row) => (
          <li key={row.id} class="row">
            <span class="truncate">{row.filename}</span>
            <span class="muted numeric">
              {bytes(row.received_bytes)} of {bytes(row.size_bytes)}
            </span>
            <span class="spacer" />
            <IconButton small label={`Drop the upload of ${row.filename}`} icon="trash" onClick={() => onDrop(row)} />
          </li>
        ))}
      </ul>
    </section>
  );
}

interface RowProps {
  item: Item;
  put: (key: string, change: Partial<Item>) => void;
  onStart: () => void;
  onPause: () => void;
  onRemove: () => void;
}

function UploadRow({ item, put, onStart, onPause, onRemove }: RowProps): JSX.Element {
  const done = useCallback(
    (job: Job): void => {
      const { url } = job.result;
      if (job.state === "succeeded") put(item.key, { phase: "done", url: typeof url === "string" ? url : null });
      else put(item.key, { phase: "failed", upload: null, sent: 0 });
    },
    [item.key, put],
  );
  const moving = item.phase === "sending" || item.phase === "waiting";
  return (
    <li class="card upload-row">
      <div class="row">
        <Icon name="image" />
        <strong class="truncate">{item.file.name}</strong>
        <span class="muted numeric">{bytes(item.file.size)}</span>
        {item.phase !== "ingesting" && <Badge tone={TONES[item.phase]}>{WORDS[item.phase]}</Badge>}
        <span class="spacer" />
        {moving && (
          <Button small onClick={onPause}>
            Pause
          </Button>
        )}
        {item.phase === "paused" && (
          <Button small onClick={onStart}>
            Go on
          </Button>
        )}
        {item.phase === "failed" && (
          <Button small onClick={() => put(item.key, { phase: "new", error: null, job: null })}>
            Change and try again
          </Button>
        )}
        {item.phase === "done" && item.url && (
          <Button small kind="primary" href={item.url}>
            Open
          </Button>
        )}
        {item.phase !== "ingesting" && <IconButton small label={`Remove ${item.file.name}`} icon="close" onClick={onRemove} />}
      </div>
      {item.phase === "new" && <Details item={item} put={put} />}
      {(moving || item.phase === "paused") && (
        <div class="row upload-bar">
          <Progress value={item.sent / item.file.size} label={`Sending ${item.file.name}`} />
          <span class="numeric muted">{percent(item.sent / item.file.size, 0)}</span>
        </div>
      )}
      {item.job && item.phase !== "done" && <JobProgress jobId={item.job} onDone={done} />}
      {item.error !== null && <ErrorNote error={item.error} />}
    </li>
  );
}

function Details({ item, put }: { item: Item; put: RowProps["put"] }): JSX.Element {
  const { draft } = item;
  const set = (change: Partial<Draft>): void => put(item.key, { draft: { ...draft, ...change } });
  const checked = check(draft, item.file.name);
  const touched = draft.way !== "file";
  const text = (label: string, key: keyof Omit<Draft, "way">, placeholder = ""): JSX.Element => (
    <TextInput label={label} value={draft[key]} placeholder={placeholder} onChange={(value) => set({ [key]: value })} />
  );
  return (
    <div class="stack upload-details">
      <div class="form-grid">
        <TextInput label="Name" value={item.name} maxLength={200} onChange={(name) => put(item.key, { name })} />
        <Select
          label="Position on Earth"
          value={draft.way}
          options={waysFor(item.file.name)}
          onChange={(way) => set({ way: way as Way })}
        />
      </div>
      {draft.way === "epsg" && <div class="form-grid">{text("EPSG code", "epsg", "32633")}</div>}
      {draft.way === "world" && (
        <div class="form-grid">
          <TextInput label="World file (six numbers)" rows={6} value={draft.world} onChange={(world) => set({ world })} />
          {text("EPSG code of its numbers", "epsg", "32633")}
        </div>
      )}
      {draft.way === "bounds" && (
        <div class="form-grid">
          {text("West", "west")}
          {text("South", "south")}
          {text("East", "east")}
          {text("North", "north")}
          {text("EPSG code", "epsg", "4326")}
        </div>
      )}
      {draft.way === "centre" && (
        <div class="form-grid">
          {text("Longitude of the centre", "lon", "85.53")}
          {text("Latitude of the centre", "lat", "27.63")}
          {text("Metres per pixel", "gsd", "0.1")}
        </div>
      )}
      {!checked.valid && <p class={touched ? "field-error" : "field-hint"}>{checked.reason}</p>}
      {checked.valid && (draft.way === "bounds" || draft.way === "centre") && (
        <p class="field-hint">Every page will say that this position is assumed.</p>
      )}
    </div>
  );
}
