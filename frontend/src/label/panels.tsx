// The side panel (a sheet on phones): classes, samples, imagery.

import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Button, EmptyState, Tabs } from "../ui/components";
import { area, metres, plural } from "../ui/format";
import type { App, PanelTab, View } from "./app";
import type { Key } from "./bindings";
import { areaOf, ClassPalette, shownClass } from "./class-list";
import { shapeOfGeometry } from "./class-shapes";
import { lengthM } from "./geometry";
import { HistoryPanel } from "./history-panel";
import { ImageryPanel } from "./imagery/panel";
import type { ImageryPanelProps } from "./imagery/panel";
import { NO_CLASS_COLOUR } from "./layer";
import type { Comments } from "./review/comments";
import { ReviewPanel } from "./review/panel";
import type { Review } from "./review/review";
import { Swatch } from "./swatch";
import { TasksPanel } from "./tasks/panel";
import type { Tasks } from "./tasks/tasks";
import type { LabelClass, Sample } from "./types";

/** An area, a length, or that it is a point. */
function measured(sample: Sample): string {
  const shape = shapeOfGeometry(sample.geometry);
  return shape === "polygon" ? area(areaOf(sample)) : shape === "line" ? metres(lengthM(sample.geometry)) : "point";
}

const ROW_PX = 36;

/** All samples; only the rows in sight are made, so thousands scroll well. */
export function SampleList({ app, view }: { app: App; view: View }): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const [[top, height], setScroll] = useState<readonly [number, number]>([0, 600]);
  const [only, setOnly] = useState("");
  const samples = view.doc.view;
  const rows = useMemo(
    () => [...samples.values()].filter(({ classValue }) => only === "" || String(classValue ?? "") === only).reverse(),
    [samples, only],
  );
  const names = new Map<number | null, LabelClass>(view.doc.classes.map((one) => [one.value, one]));
  const [first] = view.selected;
  const measure = (): void => {
    if (box.current) setScroll([box.current.scrollTop, box.current.clientHeight]);
  };
  useEffect(() => {
    measure();
    const at = rows.findIndex(({ id }) => id === first);
    const list = box.current;
    if (!list || at < 0) return;
    if (at * ROW_PX < list.scrollTop || (at + 1) * ROW_PX > list.scrollTop + list.clientHeight) list.scrollTo({ top: at * ROW_PX - list.clientHeight / 2 });
  }, [first, rows]);
  const start = Math.max(0, Math.floor(top / ROW_PX) - 5);
  const shown = rows.slice(start, start + Math.ceil(height / ROW_PX) + 10);
  const pending = new Set(view.doc.pending.map(({ id }) => id));
  if (!view.doc.view.size)
    return (
      <EmptyState
        title={view.loading ? "Loading samples" : "No samples yet"}
        actions={!view.loading && app.mayEdit && <Button onClick={() => app.set({ open: "import" })}>Import samples</Button>}
      >
        {view.loading ? "One moment." : app.mayEdit ? "Choose a tool on the map and draw on the imagery (keys: B for boxes, P for polygons), or import a file." : "Nobody has drawn anything yet."}
      </EmptyState>
    );
  return (
    <section class="label-section label-samples" aria-label="Samples">
      <div class="row">
        <select class="select" aria-label="Show samples of" value={only} onChange={(event) => setOnly(event.currentTarget.value)}>
          <option value="">All classes</option>
          {view.doc.classes.map(({ value, name }) => <option key={value} value={String(value)}>{name}</option>)}
        </select>
        <span class="muted small-text numeric">{plural(rows.length, "sample")}{view.totals ? " loaded" : ""}</span>
      </div>
      <div class="label-rows" ref={box} onScroll={measure}>
        <ul ref={(element) => element?.style.setProperty("height", `${rows.length * ROW_PX}px`)}>
          {shown.map((sample, i) => {
            const found = names.get(sample.classValue);
            return (
              <li key={sample.id} ref={(element) => element?.style.setProperty("transform", `translateY(${(start + i) * ROW_PX}px)`)}>
                <button type="button" class="label-row" aria-pressed={view.selected.has(sample.id)} onClick={() => app.show(sample.id)}>
                  <Swatch colour={found?.colour ?? NO_CLASS_COLOUR} />
                  <span class="label-named"><span class="truncate" title={found?.name}>{found?.name ?? "No class"}</span> <span class="muted">{sample.fid ?? ""}</span></span>
                  <span class="muted small-text truncate">{pending.has(sample.id) ? "not saved yet" : (sample.updatedBy ?? sample.source)}</span>
                  <span class="numeric small-text">{measured(sample)}</span>
                </button>
              </li>
            );
          })}
        </ul>
      </div>
    </section>
  );
}

const TABS: readonly { id: PanelTab; label: string }[] = [
  { id: "classes", label: "Classes" },
  { id: "samples", label: "Samples" },
  { id: "history", label: "History" },
  { id: "review", label: "Review" },
  { id: "tasks", label: "Tasks" },
  { id: "imagery", label: "Imagery" },
];

export interface PanelProps {
  readonly app: App;
  readonly view: View;
  readonly imagery: ImageryPanelProps;
  readonly tasks: Tasks;
  readonly layerUrl: string;
  /** The whole set, to any moment. */
  readonly mayRestore: boolean;
  readonly review: Review;
  readonly comments: Comments;
  readonly keys: readonly Key[];
}

export function Panel({ app, view, imagery, tasks, layerUrl, mayRestore, review, comments, keys }: PanelProps): JSX.Element {
  return (
    <aside class={view.panel ? "label-panel" : "label-panel folded"} aria-label="Label set">
      <button type="button" class="label-sheet-handle" aria-expanded={view.panel} onClick={() => app.set({ panel: !view.panel })}>
        <span class="visually-hidden">{view.panel ? "Fold the panel" : "Unfold the panel"}</span>
      </button>
      {view.panel ? (
        <>
          <Tabs label="Panel" tabs={[...TABS]} selected={view.tab} onSelect={(id) => app.set({ tab: id as PanelTab })} />
          {view.tab === "classes" && <ClassPalette app={app} view={view} />}
          {view.tab === "samples" && <SampleList app={app} view={view} />}
          {view.tab === "history" && <HistoryPanel app={app} view={view} layerUrl={layerUrl} mayRestore={mayRestore} />}
          {view.tab === "review" && <ReviewPanel app={app} view={view} review={review} comments={comments} keys={keys} />}
          {view.tab === "tasks" && <TasksPanel tasks={tasks} nameOf={(value) => view.doc.classes.find((one) => one.value === value)?.name ?? "no class"} />}
          {view.tab === "imagery" && <ImageryPanel {...imagery} />}
        </>
      ) : (
        <ClassChips app={app} view={view} />
      )}
    </aside>
  );
}

/** The classes in one line, for the folded sheet of a phone. */
function ClassChips({ app, view }: { app: App; view: View }): JSX.Element {
  const pressed = shownClass(view);
  return (
    <div class="label-chips" role="group" aria-label="Classes">
      {view.doc.classes.filter(({ retired }) => !retired).map(({ value, name, colour }) => (
        <button key={value} type="button" class="label-chip" aria-pressed={pressed === value} disabled={!app.mayEdit} onClick={() => app.chooseClass(value)}>
          <Swatch colour={colour} />
          <span class="label-class-name">{name}</span>
        </button>
      ))}
    </div>
  );
}
