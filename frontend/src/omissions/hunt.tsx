// One omission after the other: the map, what it is, and the keys.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Key } from "../label/bindings";
import { shiftOf } from "../label/imagery/offset";
import { listenToKeys } from "../label/keys";
import { Swatch } from "../label/swatch";
import { Button, EmptyState, ErrorNote, Select, Slider, Spinner, toast } from "../ui/components";
import { number, percent } from "../ui/format";
import { openLive } from "../ui/live";
import { OmissionBoard } from "./board";
import { Stream } from "./stream";
import type { StreamView } from "./stream";
import type { DetectionLayer, OmissionsConfig, Wanted } from "./types";

export interface HuntProps {
  readonly labelSet: OmissionsConfig["label_set"];
  readonly url: string;
  readonly layers: readonly DetectionLayer[];
}

/** A slider that is being dragged does not ask for every step. */
const SETTLE_MS = 300;

export function Hunt({ labelSet, url, layers }: HuntProps): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const [board, setBoard] = useState<OmissionBoard | null>(null);
  const [stream, setStream] = useState<Stream | null>(null);
  const [view, setView] = useState<StreamView | null>(null);
  const [chosen, setChosen] = useState<number | null>(null);
  const mayLabel = labelSet.role !== "viewer";
  const classes = labelSet.layer.classes.filter(({ retired }) => !retired);

  useEffect(() => {
    const made = new Stream(url, { layer: layers[0]?.id ?? "", score: 0.5, cover: 0.3, classValue: "" }, setView, (message) => toast(message, "warn"));
    setStream(made);
    void made.want({});
  }, [url, layers]);
  useEffect(() => {
    if (!place.current) return undefined;
    const [offset] = labelSet.offsets;
    const colours = new Map(labelSet.layer.classes.map(({ value, colour }) => [value, colour]));
    const opened = new OmissionBoard(place.current, labelSet.imagery, offset ? shiftOf(offset, offset) : [0, 0], labelSet.layer, colours);
    setBoard(opened);
    const live = openLive<{ type: string; seq?: number }>(`/ws/layers/${labelSet.layer.id}/`, {
      onMessage: ({ type, seq }) => (type === "welcome" || type === "edits" || type === "resync") && seq !== undefined && opened.refresh(seq),
      onState: (state) => state === "live" && live.send({ type: "hello", after: null }),
    });
    return () => {
      live.stop();
      opened.stop();
    };
  }, [labelSet]);
  const current = view?.current ?? null;
  useEffect(() => board?.show(current?.geometry ?? null), [board, current]);
  // Each one begins with the class of its name, or with what was chosen for the one before.
  const suggested = stream?.suggestedClass() ?? null;
  const classValue = suggested ?? chosen ?? classes[0]?.value ?? null;
  const [own, setOwn] = useState<{ readonly id: string; readonly value: number | null } | null>(null);
  const taken = own !== null && own.id === current?.id ? own.value : classValue;
  const choose = (value: number | null): void => {
    setChosen(value);
    if (current) setOwn({ id: current.id, value });
  };

  const add = (): void => void stream?.add(taken);
  const dismiss = (): void => void stream?.dismiss();
  const skip = (): void => stream?.skip();
  const back = (): void => void stream?.back();
  const key = (name: string, run: () => unknown): Key => ({ id: name, keys: [name], label: name, group: "Review", run: () => (run() === false ? false : undefined) });
  useEffect(() =>
    listenToKeys(
      [
        ...(mayLabel ? [key("A", add), key("X", dismiss)] : []),
        key("N", skip),
        key("Z", back),
        ...classes.slice(0, 9).map(({ value }, i) => key(String(i + 1), () => choose(value))),
      ],
      document,
    ),
  );

  const layer = layers.find(({ id }) => id === view?.wanted.layer);
  const className = layer?.classes.find(({ value }) => value === current?.meta.class_value)?.name;
  return (
    <div class="hunt">
      <div class="hunt-map" ref={place} role="application" aria-label="Map with the place that is asked about" tabIndex={0} />
      <div class="hunt-side">
        {view && stream && <Filters view={view} layers={layers} onWant={(change) => void stream.want(change)} />}
        {view?.error !== null && view?.error !== undefined && <ErrorNote error={view.error} retry={() => void stream?.want({})} />}
        {view?.loading && !current && <Spinner label="Looking for omissions" />}
        {view && !view.loading && !current && view.error === null && (
          <EmptyState title="Nothing is left">All that this model is so sure of lies under samples, or somebody has decided on it.</EmptyState>
        )}
        {view && current && (
          <section class="card stack hunt-card" aria-label="Asked about">
            <p class="row hunt-what">
              <strong>{className ?? "An object"}</strong>
              {current.meta.score !== null && <span class="muted numeric">{percent(current.meta.score, 0)} sure</span>}
              <span class="spacer" />
              <span class="muted numeric" role="status">{number(view.left)}{view.more ? " or more" : ""} left</span>
            </p>
            {mayLabel ? (
              <>
                <div class="hunt-classes" role="radiogroup" aria-label="Class">
                  {classes.map(({ value, name, colour }, i) => (
                    <button key={value} type="button" class="hunt-class" role="radio" aria-checked={value === taken} onClick={() => choose(value)}>
                      <Swatch colour={colour} /> <span class="truncate">{name}</span>{i < 9 && <kbd>{i + 1}</kbd>}
                    </button>
                  ))}
                </div>
                <div class="actions">
                  <Button kind="primary" title="A" onClick={add}><kbd>A</kbd> Add as sample</Button>
                  <Button title="X" onClick={dismiss}><kbd>X</kbd> Not an object</Button>
                  <Button title="N" onClick={skip}><kbd>N</kbd> Skip</Button>
                </div>
              </>
            ) : (
              <div class="actions"><Button title="N" onClick={skip}><kbd>N</kbd> Next</Button></div>
            )}
          </section>
        )}
        {view?.canGoBack && <div class="actions"><Button small title="Z" onClick={back}><kbd>Z</kbd> Back to the last one</Button></div>}
      </div>
    </div>
  );
}

function Filters({ view, layers, onWant }: { view: StreamView; layers: readonly DetectionLayer[]; onWant: (change: Partial<Wanted>) => void }): JSX.Element {
  const { wanted } = view;
  const layer = layers.find(({ id }) => id === wanted.layer);
  const classes = [{ value: "", label: "all classes" }, ...(layer?.classes ?? []).map(({ value, name }) => ({ value: String(value), label: name }))];
  return (
    <div class="hunt-filters">
      <Select label="Model's layer" value={wanted.layer} options={layers.map(({ id, name, count }) => ({ value: id, label: `${name} (${number(count)})` }))} onChange={(id) => onWant({ layer: id, classValue: "" })} />
      <Select label="Of" value={wanted.classValue} options={classes} onChange={(classValue) => onWant({ classValue })} />
      <Settling label="Sure" said={(share) => `≥ ${percent(share, 0)}`} value={wanted.score} onSettled={(score) => onWant({ score })} />
      <Settling label="Covered" said={(share) => `< ${percent(share, 0)}`} value={wanted.cover} onSettled={(cover) => onWant({ cover })} />
    </div>
  );
}

/** A share on a slider that speaks when it has come to rest. */
function Settling({ label, said, value, onSettled }: { label: string; said: (share: number) => string; value: number; onSettled: (value: number) => void }): JSX.Element {
  const [now, setNow] = useState(value);
  const settleRef = useRef(onSettled);
  useEffect(() => {
    settleRef.current = onSettled;
  });
  useEffect(() => {
    if (now === value) return undefined;
    const waiting = setTimeout(() => settleRef.current(now), SETTLE_MS);
    return () => clearTimeout(waiting);
  }, [now, value]);
  return <Slider label={label} value={now} min={0.05} max={1} step={0.05} said={said(now)} onChange={(next) => setNow(Math.round(next * 100) / 100)} />;
}
