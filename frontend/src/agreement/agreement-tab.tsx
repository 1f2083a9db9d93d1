// Figures: in all, by class, by pair of people; and how blind work is done.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Swatch } from "../label/swatch";
import type { LabelClass } from "../label/types";
import { patch, post } from "../ui/api";
import { Button, Checkbox, EmptyState, NumberInput, Table, toast } from "../ui/components";
import type { Column } from "../ui/components";
import { number, percent, plural } from "../ui/format";
import { say } from "./saying";
import { TaskTable } from "./task-table";
import type { AgreementConfig, BlindTask, Figures, Overview, Settings } from "./types";

export interface TabProps {
  readonly labelSet: AgreementConfig["label_set"];
  readonly overview: Overview;
  readonly tasks: readonly BlindTask[];
  readonly mayManage: boolean;
  readonly onChanged: () => Promise<void>;
  readonly onChoose: (kind: "double" | "truth") => void;
}

export function AgreementTab({ labelSet, overview, tasks, mayManage, onChanged, onChoose }: TabProps): JSX.Element {
  const { agreement, counts, pairs } = overview;
  const doubles = tasks.filter(({ kind }) => kind === "double");
  const { classes } = labelSet.layer;
  return (
    <div class="stack">
      {agreement.tasks > 0 ? (
        <>
          <dl class="figure-row">
            <Figure label="Objects both found" value={percent(agreement.f1)} hint="F1 at an overlap of half: twice the shared objects by all objects of both." />
            <Figure label="Mean overlap" value={percent(agreement.iou)} hint="Intersection over union of the objects both found." />
            <Figure label="Kappa" value={number(agreement.kappa, 2)} hint="Cohen's kappa of the classes by area, ground without samples among them: 0 is chance, 1 is the same." />
            <Figure label="Compared" value={plural(agreement.tasks, "task")} hint={`${number(agreement.a)} objects against ${number(agreement.b)}.`} />
          </dl>
          <FigureTable
            label="Agreement by class" first="Class" rows={agreement.classes} rowKey={(row) => String(row.class_value)}
            name={(row) => <ClassName value={row.class_value} classes={classes} />}
          />
          <FigureTable
            label="Agreement by pair of people" first="People" rows={pairs} rowKey={(row) => row.people.map(({ id }) => id).join("-")}
            name={(row) => <>{row.people.map(({ name }) => name).join(" and ")} <span class="muted">{plural(row.tasks, "task")}</span></>}
          />
        </>
      ) : (
        <EmptyState
          title={counts.double ? "Nothing to compare yet" : "Nothing is labelled twice yet"}
          actions={mayManage && counts.double === 0 && <Button kind="primary" onClick={() => onChoose("double")}>Choose tasks</Button>}
        >
          {counts.double
            ? `${plural(counts.double, "task")} will be labelled by two people. As soon as both are done with one, it shows here how far they agree.`
            : "Have a share of the tasks labelled by two people who do not see each other's samples: it shows how clear the classes are, and where people differ."}
        </EmptyState>
      )}
      {mayManage && <Share labelSetId={labelSet.id} overview={overview} onChanged={onChanged} onChoose={onChoose} />}
      <TaskTable label="Tasks labelled twice" tasks={doubles} mayManage={mayManage} onChanged={onChanged} />
      {mayManage && <HowDone labelSetId={labelSet.id} settings={overview.settings} onChanged={onChanged} />}
    </div>
  );
}

function Figure({ label, value, hint }: { label: string; value: string; hint: string }): JSX.Element {
  return <div class="card figure"><dt>{label}</dt><dd class="numeric">{value}</dd><dd class="muted small-text">{hint}</dd></div>;
}

export function ClassName({ value, classes }: { value: number; classes: readonly LabelClass[] }): JSX.Element {
  const found = classes.find((one) => one.value === value);
  return <span class="class-of"><Swatch colour={found?.colour ?? "#d0d4d3"} /> {found?.name ?? "No class"}</span>;
}

interface FigureTableProps<R extends Figures> {
  readonly label: string;
  readonly first: string;
  readonly rows: readonly R[];
  readonly rowKey: (row: R) => string;
  readonly name: (row: R) => JSX.Element;
}

function FigureTable<R extends Figures>({ label, first, rows, rowKey, name }: FigureTableProps<R>): JSX.Element {
  const columns: Column<R>[] = [
    { key: "name", label: first, render: name },
    { key: "both", label: "Found by both", align: "right", hideNarrow: true, render: ({ both }) => number(both), sort: ({ both }) => both },
    { key: "objects", label: "By either", align: "right", hideNarrow: true, render: ({ a, b, both }) => number(a + b - both), sort: ({ a, b, both }) => a + b - both },
    { key: "f1", label: "F1", align: "right", render: ({ f1 }) => percent(f1), sort: ({ f1 }) => f1 ?? -1 },
    { key: "iou", label: "Overlap", align: "right", render: ({ iou }) => percent(iou), sort: ({ iou }) => iou ?? -1 },
    { key: "kappa", label: "Kappa", align: "right", render: ({ kappa }) => number(kappa, 2), sort: ({ kappa }) => kappa ?? -1 },
  ];
  return (
    <section class="stack">
      <h2>{label}</h2>
      <Table label={label} columns={columns} rows={rows} rowKey={rowKey} />
    </section>
  );
}

function Share({ labelSetId, overview, onChanged, onChoose }: { labelSetId: string; overview: Overview; onChanged: () => Promise<void>; onChoose: (kind: "double") => void }): JSX.Element {
  const now = Math.round((100 * overview.counts.double) / Math.max(1, overview.tasks));
  const [share, setShare] = useState<number | null>(Math.max(10, now));
  const [busy, setBusy] = useState(false);
  const mark = (): void => {
    if (share === null) return;
    setBusy(true);
    post<{ count: number }>(`/api/label-sets/${labelSetId}/agreement/tasks`, { kind: "double", share: share / 100 })
      .then(({ count }) => {
        toast(count ? `${plural(count, "more task")} will be labelled twice.` : "So many are labelled twice already, or no other task is free and empty.", count ? "ok" : "neutral");
        return onChanged();
      }, say)
      .finally(() => setBusy(false));
  };
  const valid = share !== null && share > 0 && share <= 100;
  return (
    <section class="card stack">
      <h2>Label tasks twice</h2>
      <p class="muted">
        {plural(overview.counts.double, "task")} of {number(overview.tasks)} ({now} %) so far. Two different people get each of them, on sheets of their own, and do not see each other's samples.
        Tasks must be to do and empty.
      </p>
      <div class="actions share-form">
        <NumberInput label="Share of the tasks, %" value={share} min={1} max={100} step={1} onChange={setShare} />
        <Button kind="primary" busy={busy} disabled={!valid} onClick={mark}>Draw by lot</Button>
        <Button onClick={() => onChoose("double")}>Choose tasks</Button>
      </div>
    </section>
  );
}

function HowDone({ labelSetId, settings, onChanged }: { labelSetId: string; settings: Settings; onChanged: () => Promise<void> }): JSX.Element {
  const [iou, setIou] = useState<number | null>(Math.round(settings.agree_iou * 100));
  const change = (body: Partial<Settings>): void => void patch(`/api/label-sets/${labelSetId}/agreement/`, body).then(onChanged, say);
  const changed = iou !== null && iou >= 50 && iou <= 100 && iou !== Math.round(settings.agree_iou * 100);
  return (
    <section class="card stack">
      <h2>How it is done</h2>
      <div class="actions share-form">
        <NumberInput label="Alike from an overlap of, %" hint="50 to 100. Shapes of one class that overlap by this need no decision." value={iou} min={50} max={100} step={1} onChange={setIou} />
        {changed && <Button kind="primary" onClick={() => change({ agree_iou: iou / 100 })}>Save</Button>}
      </div>
      <Checkbox label="Label every new task on sheets, so that nobody can tell the checked ones" checked={settings.all_on_sheets} onChange={(on) => change({ all_on_sheets: on })} />
      <Checkbox label="Show labelers their own score on ground truth" checked={settings.show_scores} onChange={(on) => change({ show_scores: on })} />
    </section>
  );
}
