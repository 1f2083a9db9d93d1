// The History panel: every version of the selected sample, or every step of the whole set, and the ways back.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Button, EmptyState, ErrorNote, Spinner } from "../ui/components";
import { ago, date, plural } from "../ui/format";
import type { App, View } from "./app";
import { NO_CLASS_COLOUR } from "./layer";
import { backTo, saidOf, timeline, versionsOf } from "./past";
import type { PastStep, Version } from "./past";
import { RestoreDialog } from "./restore-dialog";
import type { Target } from "./restore-dialog";
import { Swatch } from "./swatch";
import type { Id } from "./types";

export interface HistoryPanelProps {
  readonly app: App;
  readonly view: View;
  readonly layerUrl: string;
  readonly mayRestore: boolean;
}

export function HistoryPanel(props: HistoryPanelProps): JSX.Element {
  const { app, view } = props;
  const [id] = view.selected;
  useEffect(() => () => app.set({ preview: null }), [app]);
  return (
    <section class="label-section" aria-label="History">
      {id !== undefined && view.selected.size === 1 ? <SampleHistory {...props} id={id} /> : <SetHistory {...props} />}
    </section>
  );
}

function SampleHistory({ app, view, layerUrl, id }: HistoryPanelProps & { id: Id }): JSX.Element {
  const [versions, setVersions] = useState<readonly Version[] | null>(null);
  const [error, setError] = useState<unknown>(null);
  const now = view.doc.view.get(id) ?? null;
  const stored = view.doc.server.get(id)?.version ?? 0;
  const { classes } = view.doc;
  useEffect(() => {
    let current = true;
    const nameOf = (value: number | null): string => classes.find((one) => one.value === value)?.name ?? "no class";
    setError(null);
    if (stored > 0) versionsOf(layerUrl, id, nameOf).then((found) => current && setVersions(found), (failure: unknown) => current && setError(failure));
    return () => {
      current = false;
      app.set({ preview: null });
    };
  }, [app, layerUrl, id, stored, classes]);
  const restore = (one: Version): void => {
    const change = backTo(now, one);
    if (change) app.act(`Restore version ${one.version}`, [change]);
    app.set({ preview: null });
  };
  return (
    <>
      <div class="row">
        <h3>Sample {now?.fid ?? ""}</h3>
        <span class="spacer" />
        <Button small onClick={() => app.select([], false)}>Whole set</Button>
      </div>
      {stored === 0 && <p class="muted small-text">It is not stored yet.</p>}
      {error !== null && <ErrorNote error={error} />}
      {stored > 0 && !versions && error === null && <Spinner label="Loading versions" />}
      <ul class="label-past">
        {(versions ?? []).map((one) => {
          const colour = classes.find(({ value }) => value === one.sample?.classValue)?.colour ?? NO_CLASS_COLOUR;
          const same = backTo(now, one) === null;
          return (
            <li
              key={one.version} class={app.view.preview === one.sample?.geometry ? "shown" : undefined}
              onMouseEnter={() => app.set({ preview: one.sample?.geometry ?? null })} onMouseLeave={() => app.set({ preview: null })}
            >
              <span class="row what"><strong class="numeric">{one.version}</strong>{one.sample && <Swatch colour={colour} />}<span>{one.what}</span></span>
              <span class="muted small-text" title={date(one.at)}>{one.actor?.name ?? "the system"}, {ago(one.at)}</span>
              {same ? <span class="badge">as it is now</span> : app.mayEdit && (
                <Button small onClick={() => restore(one)} title={one.sample ? "Make it so again: a new version" : "Delete it again"}>Restore</Button>
              )}
            </li>
          );
        })}
      </ul>
    </>
  );
}

function SetHistory({ app, view, layerUrl, mayRestore }: HistoryPanelProps): JSX.Element {
  const [steps, setSteps] = useState<readonly PastStep[] | null>(null);
  const [next, setNext] = useState<number | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [going, setGoing] = useState<Target | null>(null);
  const [moment, setMoment] = useState("");
  const { seq } = view.doc;
  useEffect(() => {
    let current = true;
    const take = (found: { results: PastStep[]; next: number | null }): void => {
      if (!current) return;
      setSteps(found.results);
      setNext(found.next);
    };
    timeline(layerUrl, null).then(take, (failure: unknown) => current && setError(failure));
    return () => {
      current = false;
    };
  }, [layerUrl, seq]);
  const more = (): void => {
    timeline(layerUrl, next).then((found) => {
      setSteps([...(steps ?? []), ...found.results]);
      setNext(found.next);
    }, setError);
  };
  if (error !== null) return <ErrorNote error={error} />;
  if (!steps) return <Spinner label="Loading the history" />;
  if (!steps.length) return <EmptyState title="No history yet">What is drawn here is remembered step by step: who, when, what, and the way back.</EmptyState>;
  return (
    <>
      <p class="muted small-text">Select one sample to see its versions.{mayRestore && " Or take the whole set back: nothing is wiped, a restoration is a step like others."}</p>
      {mayRestore && (
        <form class="row label-moment" onSubmit={(event) => { event.preventDefault(); if (moment) setGoing({ at: new Date(moment).toISOString(), said: `To how it was on ${date(new Date(moment).toISOString())}.` }); }}>
          <input class="input" type="datetime-local" aria-label="A moment" value={moment} onInput={(event) => setMoment(event.currentTarget.value)} />
          <Button small type="submit" disabled={!moment}>Go back to it</Button>
        </form>
      )}
      <ul class="label-past">
        {steps.map((step, i) => (
          <li key={step.seq}>
            <span>{nameOf(step)} {saidOf(step)}</span>
            <span class="muted small-text" title={date(step.at)}>{ago(step.at)}</span>
            <span class="row">
              {step.ids.some((id) => view.doc.view.has(id)) && <Button small kind="quiet" onClick={() => showAll(app, step.ids)}>Show</Button>}
              {app.mayEdit && step.deleted_ids.some((id) => !view.doc.view.has(id)) && <Button small kind="quiet" onClick={() => void bringBack(app, layerUrl, step.deleted_ids)}>Bring back</Button>}
              {mayRestore && i > 0 && <Button small kind="quiet" onClick={() => setGoing({ seq: step.seq, said: `To how it was ${ago(step.at)}, right after ${nameOf(step)} ${saidOf(step)}.` })}>Back to here</Button>}
            </span>
          </li>
        ))}
      </ul>
      {next !== null && <Button small onClick={more}>Earlier steps</Button>}
      {going && <RestoreDialog layerUrl={layerUrl} target={going} onClose={() => setGoing(null)} />}
    </>
  );
}

/** Who did it; what models send comes from nobody. */
function nameOf({ actor, created, suggested }: PastStep): string {
  return actor?.name ?? (created > 0 && created === suggested ? "A model" : "The system");
}

function showAll(app: App, ids: readonly Id[]): void {
  app.set({ tool: "select" });
  app.select(ids.filter((id) => app.view.doc.view.has(id)), false);
  app.fitSelected();
}

/** Deleted samples come back as they were last: one step, undone as a whole. */
async function bringBack(app: App, layerUrl: string, ids: readonly Id[]): Promise<void> {
  const gone = ids.filter((id) => !app.view.doc.view.has(id));
  try {
    const pasts = await Promise.all(gone.map((id) => versionsOf(layerUrl, id, () => "")));
    const changes = pasts.flatMap((versions) => {
      const last = versions.find(({ sample }) => sample !== null);
      return last?.sample && !app.view.doc.view.has(last.sample.id) ? [{ id: last.sample.id, before: null, after: last.sample }] : [];
    });
    if (!pasts.some((versions) => versions.some(({ sample }) => sample !== null))) return app.refuse("What they were is put away: they cannot be brought back from here.");
    if (!changes.length) return app.tell("They are here already.");
    app.act(`Bring back ${plural(changes.length, "sample")}`, changes);
    showAll(app, changes.map(({ id }) => id));
  } catch (error) {
    app.refuse(error instanceof Error ? error.message : "They could not be read.");
  }
}
