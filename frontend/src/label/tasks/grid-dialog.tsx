// Cutting the area into tasks. The count is the server's, of the very cells that would be made.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { asApiError } from "../../ui/api";
import type { ApiError } from "../../ui/api";
import { Button, Checkbox, Dialog, ErrorNote, NumberInput, Select, Spinner, toast } from "../../ui/components";
import { percent, plural } from "../../ui/format";
import type { Tasks } from "./tasks";
import type { GridBody, GridKind, Preview } from "./types";

const KINDS: readonly { value: GridKind; label: string }[] = [
  { value: "metres", label: "Squares, by metres" },
  { value: "pixels", label: "Squares, by pixels of the imagery" },
  { value: "tiles", label: "Web map tiles" },
  { value: "polygons", label: "Polygons of a GeoJSON file" },
];
const SIZES: Readonly<Record<GridKind, { first: number; label: string; min: number; max: number }>> = {
  metres: { first: 200, label: "Side in metres", min: 1, max: 1_000_000 },
  pixels: { first: 1024, label: "Side in pixels", min: 16, max: 1_000_000 },
  tiles: { first: 18, label: "Zoom", min: 0, max: 26 },
  polygons: { first: 0, label: "", min: 0, max: 0 },
};
const SETTLE_MS = 400;

/** What the form says, or null while it says nothing that could be asked. */
export function gridBody(kind: GridKind, size: number | null, area: unknown, polygons: unknown): GridBody | null {
  const { min, max } = SIZES[kind];
  if (kind === "polygons") return polygons ? { kind, size: 0, area, polygons } : null;
  if (size === null || size < min || size > max || (kind !== "metres" && !Number.isInteger(size))) return null;
  return { kind, size, area, polygons: null };
}

export function GridDialog({ tasks }: { tasks: Tasks }): JSX.Element {
  const [kind, setKind] = useState<GridKind>("metres");
  const [size, setSize] = useState<number | null>(SIZES.metres.first);
  const [inView, setInView] = useState(false);
  const [polygons, setPolygons] = useState<unknown>(null);
  const [preview, setPreview] = useState<Preview | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  const { rest, viewArea } = tasks.options;
  const body = gridBody(kind, size, inView ? viewArea() : null, polygons);
  const asked = JSON.stringify(body);

  useEffect(() => {
    setPreview(null);
    setError(null);
    const asking = JSON.parse(asked) as GridBody | null;
    if (!asking) return undefined;
    const stop = new AbortController();
    const settled = setTimeout(() => {
      rest.preview(asking, stop.signal).then(setPreview, (failure: unknown) => !stop.signal.aborted && setError(asApiError(failure)));
    }, SETTLE_MS);
    return () => {
      clearTimeout(settled);
      stop.abort();
    };
  }, [asked, rest]);
  useEffect(() => tasks.set({ preview: preview?.cells.features.map(({ geometry }) => geometry) ?? [] }), [preview, tasks]);
  useEffect(() => () => tasks.set({ preview: [] }), [tasks]);

  const close = (): void => tasks.set({ dialog: "none" });
  const choose = (next: GridKind): void => {
    setKind(next);
    setSize(SIZES[next].first);
  };
  const read = (file: File | undefined): void => {
    setPolygons(null);
    if (!file) return;
    file.text().then((text) => setPolygons(JSON.parse(text))).catch(() => setError(asApiError(new Error(`${file.name} is no GeoJSON file.`))));
  };
  const cut = async (): Promise<void> => {
    if (!body || !preview) return;
    setBusy(true);
    try {
      const { count } = await rest.create(body);
      toast(`${plural(count, "task")} made.`, "ok");
      close();
      await tasks.catchUp();
      tasks.showAll();
    } catch (failure) {
      setError(asApiError(failure));
      setBusy(false);
    }
  };
  const { label, min, max } = SIZES[kind];
  return (
    <Dialog
      title="Cut into tasks"
      onClose={close}
      onSubmit={() => void cut()}
      actions={
        <>
          <Button onClick={close}>Cancel</Button>
          <Button kind="primary" type="submit" busy={busy} disabled={!preview}>{preview ? `Make ${plural(preview.count, "task")}` : "Make tasks"}</Button>
        </>
      }
    >
      <Select label="Cells" value={kind} options={KINDS} onChange={(value) => choose(value as GridKind)} />
      {kind === "polygons" ? (
        <label class="field">
          <span>GeoJSON file, in longitude and latitude</span>
          <input type="file" accept=".geojson,.json,application/geo+json" onChange={(event) => read(event.currentTarget.files?.[0])} />
        </label>
      ) : (
        <NumberInput label={label} value={size} min={min} max={max} step={kind === "metres" ? "any" : 1} onChange={setSize} />
      )}
      <Checkbox label="Only what the map shows now" checked={inView} onChange={setInView} />
      <p class="muted small-text">Cells are clipped to the imagery, and to what no task covers yet.</p>
      <div class="task-count" role="status">
        {error ? <ErrorNote error={error} /> : preview ? (
          <p><strong>{plural(preview.count, "task")}</strong>{preview.covered > 0.0005 && `; ${percent(preview.covered)} of the area has tasks already and is left out`}</p>
        ) : body ? <Spinner label="Counting" /> : <p class="muted">{kind === "polygons" ? "Choose a file." : `Give a size of ${min} to ${max}.`}</p>}
      </div>
    </Dialog>
  );
}
