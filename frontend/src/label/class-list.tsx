// The classes beside the map: chosen, found, hidden; how many samples and how much area each has.

import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import { Button, EmptyState, Icon, IconButton } from "../ui/components";
import { area, metres, number } from "../ui/format";
import type { App, Total, View } from "./app";
import { named } from "./class-search";
import { SHAPES, shapeOfGeometry, shapesSaid } from "./class-shapes";
import { areaM2, lengthM } from "./geometry";
import { NO_CLASS_COLOUR } from "./layer";
import { Swatch } from "./swatch";
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

/** With more classes than this they are found by their names, too. */
const MANY_CLASSES = 12;

/** The class of what is selected (undefined: of several classes), else the one that is drawn with. */
export function shownClass(view: View): number | null | undefined {
  const chosen = new Set([...view.selected].map((id) => view.doc.view.get(id)?.classValue));
  return chosen.size === 0 ? view.currentClass : chosen.size === 1 ? [...chosen][0] : undefined;
}

/** Classes with their keys, counts and visibility; a click chooses what to draw, or the class of what is selected. */
export function ClassPalette({ app, view }: { app: App; view: View }): JSX.Element {
  const samples = view.doc.view;
  const totals = useMemo(() => view.totals ?? totalsOf(samples), [samples, view.totals]);
  const counts = new Map([...totals].map(([value, { count }]) => [value, count]));
  const sum = (of: (total: Total) => number): number => [...totals.values()].reduce((all, total) => all + of(total), 0);
  const [wanted, setWanted] = useState("");
  const all = offered(view.doc.classes, counts);
  const many = all.length > MANY_CLASSES;
  const list = many ? named(all, wanted) : all;
  const chosen = view.selected.size;
  const pressed = shownClass(view);
  if (!all.length && !view.loading) return <NoClasses app={app} />;
  return (
    <section class="label-section" aria-label="Classes">
      <p class="muted small-text">
        {chosen && app.mayEdit ? `Click a class to give it to ${chosen === 1 ? "the selected sample" : `the ${chosen} selected samples`}.` : "You draw with the chosen class. Keys 1 to 9 and 0 choose one."}
      </p>
      {many && (
        <form
          role="search"
          onSubmit={(event) => {
            event.preventDefault();
            const [first] = list;
            if (first?.value == null || first.retired || !app.mayEdit) return;
            app.chooseClass(first.value);
            setWanted("");
          }}
        >
          <input class="input" type="search" aria-label="Find a class" placeholder="Find a class; Enter takes the first" value={wanted} onInput={(event) => setWanted(event.currentTarget.value)} />
        </form>
      )}
      {many && !list.length && <p class="muted small-text">No class has these letters in its name.</p>}
      <ul class="label-classes">
        {list.map(({ value, name, colour, retired, key, shapes = SHAPES }) => {
          const hidden = view.hiddenClasses.has(value);
          const said = shapesSaid({ shapes });
          return (
            <li key={value} class={hidden ? "hidden-class" : undefined}>
              <button type="button" class="label-class" aria-pressed={pressed === value} disabled={retired || !app.mayEdit || value === null} onClick={() => app.chooseClass(value)}>
                <Swatch colour={colour} />
                <span class="label-class-name" title={said ? `${name}: ${said}` : name}>{name}</span>
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

export function areaOf(sample: Sample): number {
  const known = areaCache.get(sample.geometry);
  if (known !== undefined) return known;
  const made = areaM2(sample.geometry);
  areaCache.set(sample.geometry, made);
  return made;
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
