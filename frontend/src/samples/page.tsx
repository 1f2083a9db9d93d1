// The samples manager of a label set: classes and their balance, what is wrong with samples, the schema as a file.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { SchemaDialog } from "../label/schema-dialog";
import type { Draft } from "../label/schema-dialog";
import type { LabelClass } from "../label/types";
import { get, put } from "../ui/api";
import { Button, EmptyState, ErrorNote, Icon, Menu, Spinner, Tabs, toast } from "../ui/components";
import { area, number, plural } from "../ui/format";
import { saveFile } from "../ui/save-file";
import { MergeDialog, SplitDialog } from "./class-dialogs";
import { ClassTable } from "./class-table";
import { Problems } from "./problems";
import { merged, written } from "./schema-files";
import type { Offset } from "../label/imagery/offset";
import type { SchemaForm } from "./schema-files";
import type { ClassRow, Overview, Problem } from "./types";

export interface SamplesConfig {
  readonly label_set: {
    readonly id: string;
    readonly name: string;
    readonly role: string;
    readonly url: string;
    /** Of the set's own imagery first. */
    readonly offsets: readonly [Offset, ...Offset[]];
    readonly layer: { readonly url: string; readonly classes: readonly LabelClass[] };
  };
}

type Open = { readonly what: "merge" | "split"; readonly row: ClassRow } | { readonly what: "schema"; readonly drafts: readonly Draft[] | null } | null;

export function SamplesPage({ label_set: labelSet }: SamplesConfig): JSX.Element {
  const [overview, setOverview] = useState<Overview | null>(null);
  const [problems, setProblems] = useState<readonly Problem[] | null>(null);
  const [classes, setClasses] = useState(labelSet.layer.classes);
  const [error, setError] = useState<unknown>(null);
  const [tab, setTab] = useState(location.hash === "#problems" ? "problems" : "classes");
  const [open, setOpen] = useState<Open>(null);
  const mayLabel = labelSet.role !== "viewer";
  const mayReview = mayLabel && labelSet.role !== "labeler";
  const load = (): void => {
    setError(null);
    Promise.all([
      get<Overview>(`/api/label-sets/${labelSet.id}/samples`).then(setOverview),
      get<{ problems: Problem[] }>(`/api/label-sets/${labelSet.id}/problems`).then((told) => setProblems(told.problems)),
      get<{ classes: LabelClass[] }>(`${labelSet.layer.url}classes`).then((told) => setClasses(told.classes)),
    ]).catch(setError);
  };
  useEffect(load, [labelSet.id, labelSet.layer.url]);
  const choose = (next: string): void => {
    setTab(next);
    history.replaceState(null, "", next === "problems" ? "#problems" : location.pathname);
  };
  const retire = (row: ClassRow): void => {
    const body = { classes: classes.map(({ value, name, colour, retired }) => ({ value, name, colour, retired: value === row.value ? !retired : retired })) };
    put(`${labelSet.layer.url}classes`, body).then(load, (failure: unknown) => toast(failure instanceof Error ? failure.message : String(failure), "bad"));
  };
  const close = (): void => setOpen(null);
  const wrong = problems?.reduce((sum, { count }) => sum + (count ?? 0), 0) ?? 0;
  const dialog = { labelSetId: labelSet.id, classes: overview?.classes ?? [], onDone: load, onClose: close };
  return (
    <div class="stack">
      <div class="page-head">
        <h1>Samples of {labelSet.name}</h1>
        <div class="actions">
          <SchemaMenu name={labelSet.name} classes={classes} mayEdit={mayReview} onRead={(drafts) => setOpen({ what: "schema", drafts })} />
          <Button href={`${labelSet.url}omissions/`}>Omissions</Button>
          {mayReview && <Button href={`${labelSet.url}agreement/`}>Agreement</Button>}
          <Button kind="primary" href={labelSet.url}>Label</Button>
        </div>
      </div>
      {error !== null && <ErrorNote error={error} retry={load} />}
      <Tabs label="Samples" selected={tab} onSelect={choose} tabs={[{ id: "classes", label: "Classes" }, { id: "problems", label: wrong ? `Problems (${number(wrong)})` : "Problems" }]} />
      {overview === null && error === null && <Spinner label="Counting the samples" />}
      {overview && tab === "classes" && (
        <>
          <Summary overview={overview} />
          {overview.classes.length ? (
            <ClassTable
              rows={overview.classes}
              acts={mayReview ? {
                onMerge: (row) => setOpen({ what: "merge", row }),
                onSplit: (row) => setOpen({ what: "split", row }),
                onRetire: retire,
                onEdit: () => setOpen({ what: "schema", drafts: null }),
              } : null}
            />
          ) : (
            <EmptyState title="No classes yet" actions={mayReview && <Button kind="primary" onClick={() => setOpen({ what: "schema", drafts: null })}>Create classes</Button>}>
              A class says what a sample is. Create one or more, or read a schema from a file.
            </EmptyState>
          )}
        </>
      )}
      {tab === "problems" && (problems ? <Problems labelSetId={labelSet.id} offset={labelSet.offsets[0]} problems={problems} classes={overview?.classes ?? []} mayFix={mayLabel} onChanged={load} /> : error === null && <Spinner label="Looking at every sample" />)}
      {open?.what === "merge" && <MergeDialog {...dialog} source={open.row} />}
      {open?.what === "split" && <SplitDialog {...dialog} source={open.row} />}
      {open?.what === "schema" && <SchemaDialog classes={classes} drafts={open.drafts ?? undefined} url={`${labelSet.layer.url}classes`} onClose={close} onSaved={load} />}
    </div>
  );
}

function Summary({ overview }: { overview: Overview }): JSX.Element {
  return (
    <>
      <p class="muted">
        {plural(overview.count, "sample")} on {area(overview.area_m2)}, in {number(overview.cells.with_samples)} of {number(overview.cells.all)} parts of the imagery.
      </p>
      {overview.advice.length > 0 && (
        <ul class="advice">
          {overview.advice.map(({ code, tone, text }) => (
            <li key={`${code} ${text}`} class={`note ${tone}`} data-code={code}>{text}</li>
          ))}
        </ul>
      )}
    </>
  );
}

function SchemaMenu({ name, classes, mayEdit, onRead }: { name: string; classes: readonly LabelClass[]; mayEdit: boolean; onRead: (drafts: readonly Draft[]) => void }): JSX.Element {
  const save = (form: SchemaForm): void => {
    saveFile(new Blob([written(classes, form)], { type: "application/json" }), `${name} classes${form === "esri" ? " (Esri)" : ""}.json`);
  };
  const read = (): void => {
    const input = document.createElement("input");
    input.type = "file";
    input.accept = ".json,.emd,.ecs,.ecd";
    input.addEventListener("change", () => {
      void input.files?.[0]?.text().then((text) => {
        const drafts = merged(text, classes);
        if (drafts) onRead(drafts);
        else toast("The file names no classes: it needs a JSON list of objects with a name and a value.", "bad");
      });
    });
    input.click();
  };
  return (
    <Menu
      label="Class schema"
      end
      items={[
        ...(mayEdit ? [{ label: "Read classes from a file…", icon: "upload" as const, onSelect: read }] : []),
        { label: "Save classes", icon: "download", onSelect: () => save("quadrat") },
        { label: "Save classes for Esri tools", icon: "download", onSelect: () => save("esri") },
      ]}
    >
      <Icon name="layers" /> Class schema
    </Menu>
  );
}
