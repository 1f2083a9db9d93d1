// Samples from a GeoJSON file: where their class stands in it, and what to do with names that are new.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { call, get } from "../ui/api";
import { Button, Checkbox, Dialog, ErrorNote, Field, Progress, Select } from "../ui/components";
import { bytes, number, plural } from "../ui/format";
import type { LabelClass } from "./types";

interface Report {
  readonly added: number;
  readonly skipped: Readonly<Record<string, number>>;
  readonly examples: readonly { readonly index: number; readonly reason: string }[];
  readonly classes_added: readonly string[];
}

interface JobJson {
  readonly state: string;
  readonly progress: number;
  readonly message: string;
  readonly error: { readonly message: string; readonly fix: string } | null;
  readonly result: Report | null;
}

/** What a first look into the file tells. */
export interface Glance {
  readonly features: number;
  readonly properties: readonly string[];
}

const GLANCE_BYTES = 30_000_000;
const POLL_MS = 700;
const ENDED = new Set(["succeeded", "failed", "cancelled"]);

/** Count the features of a GeoJSON text and name their properties; null where it is no FeatureCollection. */
export function glance(text: string): Glance | null {
  let parsed: { type?: unknown; features?: unknown };
  try {
    parsed = JSON.parse(text) as typeof parsed;
  } catch {
    return null;
  }
  if (parsed.type !== "FeatureCollection" || !Array.isArray(parsed.features)) return null;
  const names = new Set<string>();
  for (const feature of (parsed.features as { properties?: object | null }[]).slice(0, 2000))
    for (const name of Object.keys(feature.properties ?? {})) names.add(name);
  return { features: parsed.features.length, properties: [...names] };
}

/** The property that most likely names the class. */
export function likelyClass(properties: readonly string[]): string {
  const wanted = ["class", "classname", "label", "category", "class_name", "type", "classvalue", "class_value", "building"];
  return wanted.flatMap((name) => properties.filter((one) => one.toLowerCase() === name))[0] ?? "";
}

export interface ImportDialogProps {
  readonly classes: readonly LabelClass[];
  readonly layerUrl: string;
  /** Managers may add classes. */
  readonly onClose: () => void;
}

export function ImportDialog({ classes, layerUrl, onClose }: ImportDialogProps): JSX.Element {
  const [file, setFile] = useState<File | null>(null);
  const [look, setLook] = useState<Glance | null>(null);
  const [property, setProperty] = useState("");
  const [value, setValue] = useState("0");
  const [addClasses, setAddClasses] = useState(true);
  const [progress, setProgress] = useState<{ value: number | null; text: string } | null>(null);
  const [report, setReport] = useState<Report | null>(null);
  const [error, setError] = useState<unknown>(null);

  const choose = async (chosen: File | undefined): Promise<void> => {
    setFile(chosen ?? null);
    setError(null);
    const seen = chosen && chosen.size <= GLANCE_BYTES ? glance(await chosen.text()) : null;
    setLook(seen);
    setProperty(likelyClass(seen?.properties ?? []));
  };
  const start = async (): Promise<void> => {
    if (!file) return;
    setError(null);
    setProgress({ value: null, text: "Sending the file" });
    const query = new URLSearchParams({ class_property: property, class_value: value, add_classes: property && addClasses ? "1" : "0" });
    try {
      const answer = await call<Report | { job: string }>("POST", `${layerUrl}import?${query.toString()}`, file, { headers: { "Content-Type": "application/geo+json" } });
      setReport("job" in answer ? await ended(answer.job, setProgress) : answer);
    } catch (failure) {
      setError(failure);
    }
    setProgress(null);
  };
  const finished = report !== null;
  return (
    <Dialog
      title="Import GeoJSON"
      onClose={onClose}
      onSubmit={() => void (finished ? onClose() : start())}
      actions={
        <>
          {!finished && <Button onClick={onClose}>Cancel</Button>}
          <Button kind="primary" type="submit" disabled={!file && !finished} busy={progress !== null}>{finished ? "Done" : "Import"}</Button>
        </>
      }
    >
      {finished ? (
        <ReportNote report={report} />
      ) : (
        <>
          <Field label="File" hint={file ? `${bytes(file.size)}${look ? `, ${plural(look.features, "feature")}` : ""}` : "A FeatureCollection with polygons, lines or points, in longitude and latitude or with its CRS named."}>
            {(aria) => <input type="file" accept=".geojson,.json,application/geo+json" onChange={(event) => void choose(event.currentTarget.files?.[0])} {...aria} />}
          </Field>
          <Select
            label="Class"
            hint="The property of the file that names the class of each feature."
            value={property}
            onChange={setProperty}
            options={[{ value: "", label: "One class for all" }, ...(look?.properties ?? []).map((name) => ({ value: name, label: `From “${name}”` }))]}
          />
          <Select
            label={property ? "Class where the file names none" : "Class of all features"}
            value={value}
            onChange={setValue}
            options={[{ value: "0", label: "No class" }, ...classes.filter(({ retired }) => !retired).map((one) => ({ value: String(one.value), label: one.name }))]}
          />
          {property && <Checkbox label="Add classes that are new" checked={addClasses} onChange={setAddClasses} />}
        </>
      )}
      {progress && <Progress value={progress.value} label={progress.text} />}
      {error !== null && <ErrorNote error={error} />}
    </Dialog>
  );
}

async function ended(job: string, tell: (progress: { value: number | null; text: string }) => void): Promise<Report> {
  for (;;) {
    const now = await get<JobJson>(`/api/jobs/${job}/`);
    tell({ value: now.progress, text: now.message });
    if (now.state === "succeeded" && now.result) return now.result;
    if (ENDED.has(now.state)) throw new Error(now.error ? `${now.error.message} ${now.error.fix}` : "The import was cancelled.");
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function ReportNote({ report }: { report: Report }): JSX.Element {
  const skipped = Object.values(report.skipped).reduce((sum, one) => sum + one, 0);
  return (
    <div class={skipped ? "note warn" : "note ok"} role="status">
      <strong>{plural(report.added, "sample")} imported.</strong>
      {report.classes_added.length > 0 && <p>New classes: {report.classes_added.join(", ")}.</p>}
      {skipped > 0 && <p>{number(skipped)} left out. {report.examples.slice(0, 3).map(({ index, reason }) => `Feature ${index + 1}: ${reason}`).join(" ")}</p>}
    </div>
  );
}
