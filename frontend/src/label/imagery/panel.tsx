// The Imagery panel: how the imagery looks, another date beside it, where it lies, and what it is.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ImageryStyleForm } from "../../look/form";
import type { ImageryStyle } from "../../look/picture";
import { Button, ErrorNote, Select, Slider, Spinner } from "../../ui/components";
import { ago, number } from "../../ui/format";
import type { Bounds } from "../../ui/map";
import { FIRST } from "./choice";
import { dayOf, titleOf } from "./dates";
import { saidOf } from "./offset";
import type { Copying } from "./copying";
import type { Scene } from "./rest";
import type { Imagery, Imaging } from "./state";
import { useCopying, useImagery } from "./use-imagery";

export interface ImageryFacts {
  readonly name: string;
  readonly gsd_m: number;
  readonly width: number;
  readonly height: number;
  readonly position_assumed: boolean;
  readonly position_note: string;
}

export interface ImageryPanelProps {
  readonly imagery: Imagery;
  readonly facts: ImageryFacts;
  readonly copying: Copying;
  /** The field that chooses what lies under the imagery; null where there is nothing to choose. */
  readonly basemap: JSX.Element | null;
  readonly maySave: boolean;
  /** What the map shows now, in degrees. */
  readonly inView: () => Bounds | null;
  /** An offset is being tried: on a narrow page the panel would lie over the map. */
  readonly onTry: () => void;
}

interface SectionProps extends ImageryPanelProps {
  readonly view: Imaging;
}

const percent = (value: number): string => `${Math.round(value * 100)} %`;

export function ImageryPanel(props: ImageryPanelProps): JSX.Element {
  const { imagery, facts, copying } = props;
  const view = useImagery(imagery);
  const { choice } = view;
  return (
    <section class="label-section" aria-label="Imagery">
      <Slider label="Opacity" value={choice.opacity} min={0} max={1} step={0.05} said={percent(choice.opacity)} onChange={(opacity) => imagery.choose({ opacity })} />
      <Slider label="Brightness" value={choice.brightness} min={0} max={2} step={0.05} said={percent(choice.brightness)} onChange={(brightness) => imagery.choose({ brightness })} />
      <Button small disabled={choice.opacity === 1 && choice.brightness === 1} onClick={() => imagery.choose({ opacity: FIRST.opacity, brightness: FIRST.brightness })}>Reset</Button>
      <LookSection {...props} view={view} />
      <DateSection {...props} view={view} />
      <OffsetSection {...props} view={view} />
      {props.basemap}
      <dl class="facts small-text">
        <dt>Scene</dt>
        <dd>{facts.name}</dd>
        {dayOf(imagery.own) && <><dt>Taken</dt><dd>{dayOf(imagery.own)}</dd></>}
        {copying.from && <><dt>Copied from</dt><dd><a href={copying.from.url + window.location.hash}>{copying.from.name}</a></dd></>}
        <dt>Pixels</dt>
        <dd class="numeric">{number(facts.width)} × {number(facts.height)}</dd>
        <dt>Ground size</dt>
        <dd class="numeric">{number(facts.gsd_m)} m a pixel</dd>
      </dl>
      {facts.position_assumed && <p class="note warn small-text">The place of this picture on Earth is assumed. {facts.position_note}</p>}
    </section>
  );
}

/** Bands, stretch and colours: of either date. */
function LookSection({ imagery, view, maySave, inView }: SectionProps): JSX.Element {
  const { choice, second, looks } = view;
  const [whose, setWhose] = useState<"own" | "second">("own");
  const other = whose === "second" ? second : null;
  const scene = other ?? imagery.own;
  const style = other ? choice.secondStyle : choice.style;
  const full = looks.get(scene.id);
  const change = (next: ImageryStyle): void => imagery.choose(other ? { secondStyle: next } : { style: next });
  return (
    <details class="label-fold" open={style.rendering !== undefined || style.words !== undefined}>
      <summary>Bands, stretch, colours</summary>
      {second && (
        <Select label="Of" value={other ? "second" : "own"} options={[{ value: "own", label: titleOf(imagery.own) }, { value: "second", label: titleOf(second) }]} onChange={(value) => setWhose(value === "second" ? "second" : "own")} />
      )}
      {full?.problem && <p class="note warn small-text">{full.problem} The layer's own look is shown.</p>}
      {full ? <ImageryStyleForm key={scene.id} row={{ imagery: scene, picture: full }} style={style} onChange={change} view={inView} maySave={maySave} /> : <Spinner label="Reading the look" />}
    </details>
  );
}

function meets(a: Bounds | null, b: Bounds | null): boolean {
  return a !== null && b !== null && a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
}

/** Another scene over the same place. */
function DateSection({ imagery, view, copying }: SectionProps): JSX.Element {
  const { choice, second } = view;
  const [scenes, setScenes] = useState<readonly Scene[] | null>(null);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    let current = true;
    imagery.rest.scenes().then(
      (found) => current && setScenes(found.filter((scene) => scene.id !== imagery.own.id && meets(scene.bounds, imagery.own.bounds))),
      (failure: unknown) => current && setError(failure),
    );
    return () => {
      current = false;
    };
  }, [imagery]);
  if (error !== null) return <ErrorNote error={error} />;
  if (!scenes) return <Spinner label="Looking for other dates" />;
  return (
    <div class="label-part">
      <h3>Another date</h3>
      {scenes.length === 0 ? (
        <p class="muted small-text">No other scene of this project lies over this place.</p>
      ) : (
        <Select
          label="Another date" quiet value={choice.second ?? ""}
          options={[{ value: "", label: "None" }, ...scenes.map((scene) => ({ value: scene.id, label: titleOf(scene) }))]}
          onChange={(id) => imagery.chooseSecond(id || null)}
        />
      )}
      {second && <p class="muted small-text">The button on the map shows it for as long as it is held (key <kbd>U</kbd>); the switch beside it parts the map between both (<kbd>Shift</kbd> <kbd>U</kbd>). Samples are always over both.</p>}
      {second && copying.mayCopy && <CopySection copying={copying} second={second} />}
    </div>
  );
}

/** Samples copied into the label set of the other date, and the way there. */
function CopySection({ copying, second }: { copying: Copying; second: Scene }): JSX.Element {
  const { busy, done } = useCopying(copying);
  const other = done?.imagery === second.id ? done : null;
  return (
    <>
      <div class="row">
        <Button small busy={busy} title="Copy to the other date (Shift D)" onClick={() => copying.begin()}>Copy to the other date</Button>
        {other && <a class="small-text truncate" href={other.url + window.location.hash}>{other.name}</a>}
      </div>
      <p class="muted small-text">Copies the selected samples, or all in view, into the label set of that date, where they wait to be reviewed. Key: <kbd>Shift</kbd> <kbd>D</kbd></p>
    </>
  );
}

/** Where the imagery is shown, and who says so. */
function OffsetSection({ imagery, view, onTry }: SectionProps): JSX.Element {
  const { draft, second } = view;
  const scenes = second ? [imagery.own, second] : [imagery.own];
  return (
    <div class="label-part">
      <h3>Offset</h3>
      {scenes.map((scene) => {
        const kept = imagery.offsetOf(scene.id);
        const said = saidOf(kept);
        return (
          <div class="label-offset-row" key={scene.id}>
            <p class="small-text">
              {second && <strong>{scene.name}: </strong>}
              {second ? "shown" : "Shown"} {said ? `${said} of where its file says.` : "where its file says."}
              {kept.note && <span class="muted"> {kept.note}</span>}
              {kept.set_at && <span class="muted"> {kept.set_by ?? "Somebody"}, {ago(kept.set_at)}</span>}
            </p>
            {imagery.mayOffset && <Button small disabled={draft?.imagery === scene.id} onClick={() => { imagery.tryOffset(scene.id); onTry(); }}>Nudge</Button>}
          </div>
        );
      })}
      {imagery.mayOffset && <p class="muted small-text">Where the imagery lies beside what is true. It is kept for everybody who labels this set; the file stays as it is.</p>}
    </div>
  );
}
