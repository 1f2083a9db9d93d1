// A layer as a file: which format, CRS and classes; what did not fit is said before the file is put away.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { get, post } from "../ui/api";
import { Button, Checkbox, Dialog, ErrorNote, Progress, Select, TextInput } from "../ui/components";
import { bytes, number, plural } from "../ui/format";
import "./files.css";
import { resultOf } from "./job";
import type { Told } from "./job";
import type { ExportReport, FileClass, Format } from "./types";

export interface ExportDialogProps {
  readonly name: string;
  readonly classes: readonly FileClass[];
  /** Where exports are started: of the label set, or of the layer by itself, which has no pixels. */
  readonly exportsUrl: string;
  readonly hasPixels: boolean;
  readonly onClose: () => void;
}

const OTHER = "other";
const REMEMBERED = "quadrat-export-format";

/** Put a file of the server's away, as a click on a link does. */
function download(url: string): void {
  const link = document.createElement("a");
  link.href = url;
  link.download = "";
  link.click();
}

export function ExportDialog({ name, classes, exportsUrl, hasPixels, onClose }: ExportDialogProps): JSX.Element {
  const [formats, setFormats] = useState<readonly Format[]>([]);
  const [key, setKey] = useState(localStorage.getItem(REMEMBERED) ?? "geojson");
  const [crs, setCrs] = useState("EPSG:4326");
  const [code, setCode] = useState("");
  const [left, setLeft] = useState<ReadonlySet<number | null>>(new Set());
  const [told, setTold] = useState<Told | null>(null);
  const [report, setReport] = useState<ExportReport | null>(null);
  const [error, setError] = useState<unknown>(null);
  const stopper = useRef(new AbortController());
  useEffect(() => {
    const controller = stopper.current;
    get<{ formats: Format[] }>("/api/formats/").then(({ formats: all }) => setFormats(all.filter(({ pixels }) => hasPixels || !pixels)), setError);
    return () => controller.abort();
  }, [hasPixels]);

  const format = formats.find((one) => one.key === key) ?? formats[0];
  const used = classes.filter(({ retired }) => !retired);
  const wanted = [...used.map(({ value }) => value), null].filter((value) => !left.has(value));
  const wantedCrs = !format?.any_crs ? "EPSG:4326" : crs === OTHER ? code : crs;
  const ready = format !== undefined && wanted.length > 0 && /^(EPSG:\d{4,6}|imagery)$/.test(wantedCrs);
  const start = async (): Promise<void> => {
    if (!format || !ready) return;
    setError(null);
    setTold({ value: null, text: "Starting" });
    localStorage.setItem(REMEMBERED, format.key);
    try {
      const body = { format: format.key, crs: wantedCrs, classes: left.size ? wanted : null };
      const { job } = await post<{ job: string }>(exportsUrl, body);
      const done = await resultOf<ExportReport>(job, setTold, stopper.current.signal);
      setReport(done);
      download(done.url);
    } catch (failure) {
      if (!stopper.current.signal.aborted) setError(failure);
    }
    setTold(null);
  };
  const toggle = (value: number | null, on: boolean): void => {
    const next = new Set(left);
    if (on) next.delete(value);
    else next.add(value);
    setLeft(next);
  };
  return (
    <Dialog
      title={`Export ${name}`}
      onClose={onClose}
      onSubmit={() => (report ? onClose() : void start())}
      actions={
        <>
          {!report && <Button onClick={onClose}>Cancel</Button>}
          <Button kind="primary" type="submit" disabled={!report && !ready} busy={told !== null}>{report ? "Done" : "Export"}</Button>
        </>
      }
    >
      {report ? (
        <Exported report={report} />
      ) : (
        <>
          <Select label="Format" value={format?.key ?? ""} onChange={setKey} options={formats.map((one) => ({ value: one.key, label: one.label }))} hint={format ? `Holds: ${format.holds}` : undefined} />
          {format?.any_crs && (
            <Select
              label="Coordinates" value={crs} onChange={setCrs}
              options={[
                { value: "EPSG:4326", label: "Longitude and latitude (EPSG:4326)" },
                ...(hasPixels ? [{ value: "imagery", label: "As the imagery" }] : []),
                { value: OTHER, label: "Another CRS" },
              ]}
            />
          )}
          {format?.any_crs && crs === OTHER && (
            <TextInput label="EPSG code" value={code} placeholder="EPSG:32651" onChange={(text) => setCode(/^\d+$/.test(text.trim()) ? `EPSG:${text.trim()}` : text.trim().toUpperCase())} />
          )}
          <fieldset class="file-tables">
            <legend>Classes</legend>
            {used.map(({ value, name: one }) => <Checkbox key={value} label={one} checked={!left.has(value)} onChange={(on) => toggle(value, on)} />)}
            <Checkbox label="Those without a class" checked={!left.has(null)} onChange={(on) => toggle(null, on)} />
          </fieldset>
          {wanted.length === 0 && <p class="note warn" role="status">Choose at least one class.</p>}
        </>
      )}
      {told && <Progress value={told.value} label={told.text} />}
      {error !== null && <ErrorNote error={error} />}
    </Dialog>
  );
}

function Exported({ report }: { report: ExportReport }): JSX.Element {
  const lost = Object.entries(report.lost);
  return (
    <div class={lost.length ? "note warn" : "note ok"} role="status">
      <strong>{plural(report.count, "feature")} written.</strong>
      <p><a href={report.url} download>{report.filename}</a>, {bytes(report.size_bytes)}. It is kept here for a day.</p>
      {lost.length > 0 && (
        <>
          <p>What did not fit the format:</p>
          <ul>{lost.map(([what, count]) => <li key={what}>{number(count)} {what}</li>)}</ul>
        </>
      )}
    </div>
  );
}
