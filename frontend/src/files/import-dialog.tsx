// Features from a file: sent, looked into by the server, mapped by a person, imported by a job.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { call, del, post } from "../ui/api";
import { Button, Checkbox, Dialog, ErrorNote, Field, Progress } from "../ui/components";
import { bytes, number, plural } from "../ui/format";
import { bodyOf, fieldsOf, firstChoices, problemOf, withTables } from "./choices";
import type { Choices } from "./choices";
import "./files.css";
import { resultOf } from "./job";
import { reasonsOf } from "./reasons";
import type { Told } from "./job";
import { FirstRows, kinds, Place, TableChoice } from "./look";
import { ClassMapping, FieldMapping } from "./mapping";
import type { Bounds, FileClass, ImportReport, Look } from "./types";

export interface ImportDialogProps {
  readonly classes: readonly FileClass[];
  /** Where files are sent: of the label set, or of the layer by itself. */
  readonly importsUrl: string;
  readonly layerUrl: string;
  readonly imagery: Bounds | null;
  readonly onClose: () => void;
}

const ACCEPTED = ".geojson,.json,.gpkg,.zip,.fgb,.parquet,.geoparquet,.kml,.kmz,.csv,.tsv,.txt,.xml,.tif,.tiff,.png";
const FORMATS = "GeoJSON, GeoPackage, Shapefile (zip), FlatGeobuf, GeoParquet, KML, CSV with WKT, COCO, YOLO (zip), Pascal VOC (zip), STAC label (zip) or a classified GeoTIFF.";

interface Looked {
  readonly job: string;
  readonly look: Look;
}

export function ImportDialog({ classes, importsUrl, layerUrl, imagery, onClose }: ImportDialogProps): JSX.Element {
  const [looked, setLooked] = useState<Looked | null>(null);
  const [choices, setChoices] = useState<Choices | null>(null);
  const [told, setTold] = useState<Told | null>(null);
  const [report, setReport] = useState<ImportReport | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [size, setSize] = useState(0);
  const stopper = useRef(new AbortController());
  // What was sent and will not be imported is removed at once, not after a day.
  const unused = useRef<string | null>(null);
  useEffect(() => () => {
    stopper.current.abort();
    if (unused.current) void del(`${layerUrl}imports/${unused.current}`).catch(() => undefined);
  }, [layerUrl]);

  const attempt = async (work: (signal: AbortSignal) => Promise<void>): Promise<void> => {
    setError(null);
    try {
      await work(stopper.current.signal);
    } catch (failure) {
      if (!stopper.current.signal.aborted) setError(failure);
    }
    setTold(null);
  };
  const choose = (file: File | undefined): void => {
    if (!file) return;
    setLooked(null);
    setSize(file.size);
    void attempt(async (signal) => {
      setTold({ value: null, text: `Sending ${file.name}` });
      const url = `${importsUrl}?${new URLSearchParams({ filename: file.name }).toString()}`;
      const { job } = await call<{ job: string }>("POST", url, file, { headers: { "Content-Type": "application/octet-stream" }, signal });
      const look = await resultOf<Look>(job, setTold, signal);
      unused.current = job;
      setLooked({ job, look });
      setChoices(firstChoices(look, classes, true));
    });
  };
  const start = (): void => {
    if (!looked || !choices) return;
    void attempt(async (signal) => {
      setTold({ value: null, text: "Importing" });
      const { job } = await post<{ job: string }>(`${layerUrl}imports/${looked.job}`, bodyOf(looked.look, choices));
      unused.current = null;
      setReport(await resultOf<ImportReport>(job, setTold, signal));
    });
  };
  const problem = looked && choices ? problemOf(looked.look, choices) : "";
  return (
    <Dialog
      title="Import samples"
      wide={looked !== null && !report}
      onClose={onClose}
      onSubmit={() => (report ? onClose() : start())}
      actions={
        <>
          {!report && <Button onClick={onClose}>Cancel</Button>}
          <Button kind="primary" type="submit" disabled={!report && (!looked || problem !== "" || told !== null)} busy={told !== null}>{report ? "Done" : "Import"}</Button>
        </>
      }
    >
      {report ? (
        <ReportNote report={report} suggestions={choices?.verified === false} />
      ) : (
        <>
          <Field label="File" hint={looked ? `${formatName(looked.look.format)}, ${bytes(size)}` : FORMATS}>
            {(aria) => <input type="file" accept={ACCEPTED} disabled={told !== null} onChange={(event) => choose(event.currentTarget.files?.[0])} {...aria} />}
          </Field>
          {looked && choices && <Decide look={looked.look} choices={choices} classes={classes} imagery={imagery} onChange={setChoices} />}
          {problem && <p class="note warn" role="status">{problem}</p>}
        </>
      )}
      {told && <Progress value={told.value} label={told.text} />}
      {error !== null && <ErrorNote error={error} />}
    </Dialog>
  );
}

function Decide({ look, choices, classes, imagery, onChange }: { look: Look; choices: Choices; classes: readonly FileClass[]; imagery: Bounds | null; onChange: (choices: Choices) => void }): JSX.Element {
  const tables = look.tables.filter(({ index }) => choices.tables.includes(index));
  const fields = fieldsOf(look, choices.tables);
  const [first] = tables;
  return (
    <>
      <TableChoice look={look} chosen={choices.tables} onChange={(next) => onChange(withTables(choices, look, next, classes, true))} />
      {look.tables.length === 1 && first && <p class="file-count">{plural(first.count, "feature")}: {kinds(first)}.</p>}
      {tables.flatMap(({ notes }) => notes).map((note) => <p key={note} class="note warn">{note}</p>)}
      <Place tables={tables} imagery={imagery} choices={choices} onCrs={(crs) => onChange({ ...choices, crs })} />
      <ClassMapping fields={fields} classes={classes} choices={choices} mayAdd onChange={onChange} />
      <Checkbox label="Somebody has checked them (otherwise they come as suggestions to review)" checked={choices.verified} onChange={(verified) => onChange({ ...choices, verified })} />
      <FieldMapping fields={fields} choices={choices} onChange={onChange} />
      {first && <FirstRows table={first} />}
    </>
  );
}

const NAMES: Readonly<Record<string, string>> = {
  geojson: "GeoJSON", gpkg: "GeoPackage", shapefile: "Shapefile", flatgeobuf: "FlatGeobuf", geoparquet: "GeoParquet", kml: "KML",
  csv: "CSV", coco: "COCO", yolo: "YOLO", voc: "Pascal VOC", stac: "STAC label", raster: "Classified raster",
};

function formatName(key: string): string {
  return NAMES[key] ?? key;
}

const NOTE_WORDS: Readonly<Record<string, string>> = {
  repaired: "outlines that crossed themselves repaired",
  closed: "open rings closed",
  flattened: "heights left out",
  "outside the CRS": "outside of what the CRS can express",
};

function ReportNote({ report, suggestions }: { report: ImportReport; suggestions: boolean }): JSX.Element {
  const skipped = Object.values(report.skipped).reduce((sum, one) => sum + one, 0);
  return (
    <div class={skipped ? "note warn" : "note ok"} role="status">
      <strong>{plural(report.added, "sample")} imported.</strong>
      {suggestions && report.added > 0 && <p>{report.added === 1 ? "It waits as a suggestion" : "They wait as suggestions"} in the review stream until somebody accepts {report.added === 1 ? "it" : "them"}.</p>}
      {report.classes_added.length > 0 && <p>New classes: {report.classes_added.join(", ")}.</p>}
      {Object.entries(report.notes).map(([note, count]) => <p key={note}>{number(count)} {NOTE_WORDS[note] ?? note}.</p>)}
      {report.fields_dropped.length > 0 && <p>Fields that the layer does not have, left out: {report.fields_dropped.join(", ")}.</p>}
      {skipped > 0 && (
        <>
          <p>{number(skipped)} left out:</p>
          <ul class="file-reasons">
            {reasonsOf(report).map(([reason, features]) => <li key={reason}>{reason} (feature {features})</li>)}
          </ul>
        </>
      )}
    </div>
  );
}
