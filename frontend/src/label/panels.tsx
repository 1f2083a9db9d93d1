// The side panel (a sheet on phones): classes, samples, imagery.

import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Button, EmptyState, Icon, IconButton, Tabs } from "../ui/components";
import { area, metres, number, plural } from "../ui/format";
import type { App, PanelTab, Total, View } from "./app";
import type { Key } from "./bindings";
import { SHAPES, shapeOfGeometry, shapesSaid } from "./class-shapes";
import { areaM2, lengthM } from "./geometry";
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
import type { ClassShape, LabelClass, Sample } from "./types";

interface Offered {
  readonly value: number | null;
  readonly name: string;
  readonly colour: string;
  readonly retired: boolean;
  readonly shapes?: readonly ClassShape[];
  readonly key: string;
}

function offered(classes: readonly LabelClass[], counts: ReadonlyMap<number | null, number>): Offered[] {
  const living = classes.filter(({ retired }) => !retired).map((one, i) => ({ ...one, key: i < 10 ? String((i + 1) % 10) : "" }));
  const retired = classes.filter((one) => one.retired && counts.get(one.value)).map((one) => ({ ...one, key: "" }));
  const none = counts.get(null) ? [{ value: null, name: "No class", colour: NO_CLASS_COLOUR, retired: false, key: "" }] : [];
  return [...living, ...retired, ...none];
}

/** The class of what is selected (undefined: of several classes), else the one that is drawn with. */
function shownClass(view: View): number | null | undefined {
  const chosen = new Set([...view.selected].map((id) => view.doc.view.get(id)?.classValue));
  return chosen.size === 0 ? view.currentClass : chosen.size === 1 ? [...chosen][0] : undefined;
}

/** Classes with their keys, counts and visibility; a click chooses what to draw, or the class of what is selected. */
export function ClassPalette({ app, view }: { app: App; view: View }): JSX.Element {
  const samples = view.doc.view;
  const totals = useMemo(() => view.totals ?? totalsOf(samples), [samples, view.totals]);
  const counts = new Map([...totals].map(([value, { count }]) => [value, count]));
  const sum = (of: (total: Total) => number): number => [...totals.values()].reduce((all, total) => all + of(total), 0);
  const list = offered(view.doc.classes, counts);
  const chosen = view.selected.size;
  const pressed = shownClass(view);
  if (!list.length && !view.loading) return <NoClasses app={app} />;
  return (
    <section class="label-section" aria-label="Classes">
      <p class="muted small-text">
        {chosen && app.mayEdit ? `Click a class to give it to ${chosen === 1 ? "the selected sample" : `the ${chosen} selected samples`}.` : "You draw with the chosen class. Keys 1 to 9 and 0 choose one."}
      </p>
      <ul class="label-classes">
        {list.map(({ value, name, colour, retired, key, shapes = SHAPES }) => {
          const hidden = view.hiddenClasses.has(value);
          const said = shapesSaid({ shapes });
          return (
            <li key={value} class={hidden ? "hidden-class" : undefined}>
              <button type="button" class="label-class" aria-pressed={pressed === value} disabled={retired || !app.mayEdit || value === null} onClick={() => app.chooseClass(value)}>
                <Swatch colour={colour} />
                <span class="truncate" title={said ? `${name}: ${said}` : name}>{name}</span>
                {retired && <span class="badge">retired</span>}
                <span class="numeric muted" title={area(totals.get(value)?.areaM2 ?? 0)}>{number(counts.get(value) ?? 0)}</span>
                {key ? <kbd>{key}</kbd> : <span class="no-key" />}
              </button>
              <IconButton small label={`${hidden ? "Show" : "Hide"} ${name}`} icon={hidden ? "eye-off" : "eye"} onClick={() => app.toggleClass(value)} />
            </li>
          );
        })}
      </ul>
      {app.mayEditClasses && (
        <Button small onClick={() => app.set({ open: "schema" })}>
          <Icon name="edit" /> Edit classes
        </Button>
      )}
      <dl class="facts small-text">
        <dt>Samples</dt>
        <dd class="numeric">{number(sum(({ count }) => count))}</dd>
        <dt>Area</dt>
        <dd class="numeric">{area(sum(({ areaM2: one }) => one))}</dd>
        {sum(({ lengthM: one }) => one) > 0 && (
          <>
            <dt>Length of lines</dt>
            <dd class="numeric">{metres(sum(({ lengthM: one }) => one))}</dd>
          </>
        )}
        {sum(({ points }) => points) > 0 && (
          <>
            <dt>Points</dt>
            <dd class="numeric">{number(sum(({ points }) => points))}</dd>
          </>
        )}
        {view.totals === null && (
          <>
            <dt>From models</dt>
            <dd class="numeric">{number([...samples.values()].filter(({ source }) => source === "model").length)}</dd>
          </>
        )}
      </dl>
    </section>
  );
}

/** Where a new label set begins. */
function NoClasses({ app }: { app: App }): JSX.Element {
  return (
    <EmptyState
      title="No classes yet"
      actions={app.mayEditClasses && <Button kind="primary" onClick={() => app.set({ open: "schema" })}>Create classes</Button>}
    >
      {app.mayEditClasses
        ? "A class says what a sample is: tree, roof, road. Create one or more, then draw."
        : "A class says what a sample is: tree, roof, road. A manager of the project creates them."}
    </EmptyState>
  );
}

const areaCache = new WeakMap<object, number>();

function areaOf(sample: Sample): number {
  const known = areaCache.get(sample.geometry);
  if (known !== undefined) return known;
  const made = areaM2(sample.geometry);
  areaCache.set(sample.geometry, made);
  return made;
}

/** An area, a length, or that it is a point. */
function measured(sample: Sample): string {
  const shape = shapeOfGeometry(sample.geometry);
  return shape === "polygon" ? area(areaOf(sample)) : shape === "line" ? metres(lengthM(sample.geometry)) : "point";
}

function totalsOf(samples: View["doc"]["view"]): ReadonlyMap<number | null, Total> {
  const totals = new Map<number | null, Total>();
  for (const sample of samples.values()) {
    const now = totals.get(sample.classValue) ?? { count: 0, areaM2: 0, lengthM: 0, points: 0 };
    const shape = shapeOfGeometry(sample.geometry);
    totals.set(sample.classValue, {
      count: now.count + 1,
      areaM2: now.areaM2 + areaOf(sample),
      lengthM: now.lengthM + (shape === "line" ? lengthM(sample.geometry) : 0),
      points: now.points + (shape === "point" ? 1 : 0),
    });
  }
  return totals;
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
      <EmptyState title={view.loading ? "Loading samples" : "No samples yet"}>
        {view.loading ? "One moment." : "Press B to draw boxes or P to draw polygons on the imagery, or import a GeoJSON file."}
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
                  <span class="truncate">{found?.name ?? "No class"} <span class="muted">{sample.fid ?? ""}</span></span>
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
          {name}
        </button>
      ))}
    </div>
  );
}
