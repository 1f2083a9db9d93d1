// The form that starts an inference.
import { useEffect, useRef, useState } from "preact/hooks";
import type { JSX } from "preact";
import { post } from "../ui/api";
import { Button, Checkbox, EmptyState, ErrorNote, NumberInput, Select, Spinner, TextInput } from "../ui/components";
import { duration, number, plural } from "../ui/format";
import { openExtentMap } from "./extent-map";
import type { ExtentMap } from "./extent-map";
import { bodyOf, check, firstChoice, settingsFor } from "./request";
import type { Choice } from "./request";
import type { Estimate, Extent, Imagery, Inference, NewConfig, Package, Settings } from "./types";

export function NewInference(config: NewConfig): JSX.Element {
  if (config.imagery.length === 0)
    return (
      <EmptyState title="No imagery yet" actions={<Button kind="primary" href="/imagery/upload">Upload imagery</Button>}>
        Add a scene to a project in which you may run models.
      </EmptyState>
    );
  if (config.packages.length === 0)
    return (
      <EmptyState title="No models yet" actions={<Button kind="primary" href="/models/">Go to models</Button>}>
        Export training data from a label set and train on it, or install a package.
      </EmptyState>
    );
  return <Form {...config} />;
}

function Form(config: NewConfig): JSX.Element {
  const [choice, setChoice] = useState<Choice>(() => firstChoice(config));
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const imagery = config.imagery.find((row) => row.id === choice.imagery);
  const chosen = config.packages.find((row) => row.id === choice.package);
  const task = chosen?.task ?? "classify_pixels";
  const verdict = check(choice.settings);
  const estimate = useEstimate(choice, task, verdict.valid);
  const change = (values: Partial<Choice>): void => setChoice((old) => ({ ...old, ...values }));
  const choosePackage = (id: string): void => {
    const found = config.packages.find((row) => row.id === id);
    change({ package: id, settings: settingsFor(found, config) });
  };
  const start = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      const made = await post<Inference>("/api/inferences/", bodyOf(choice, task));
      location.assign(made.url);
    } catch (caught) {
      setError(caught);
      setBusy(false);
    }
  };
  return (
    <>
      <div class="page-head">
        <h1>Run a model</h1>
      </div>
      <div class="inference-columns">
        <form
          class="stack inference-form"
          onSubmit={(event) => {
            event.preventDefault();
            void start();
          }}
        >
          <section class="card stack">
            <h2>Imagery and model</h2>
            <Select
              label="Imagery"
              value={choice.imagery}
              options={config.imagery.map((row) => ({ value: row.id, label: `${row.name} (${config.projects[row.project] ?? ""})` }))}
              onChange={(value) => change({ imagery: value, extent: null })}
              hint={imagery && `${number(imagery.width)} × ${number(imagery.height)} px of ${number(imagery.gsd_m)} m, ${imagery.dtype}`}
            />
            <Select
              label="Model"
              value={choice.package}
              options={config.packages.map((row) => ({ value: row.id, label: `${row.name} (${row.project_name})` }))}
              onChange={choosePackage}
              hint={chosen && <PackageHint chosen={chosen} />}
            />
            <Fit estimate={estimate} />
          </section>
          <section class="card stack">
            <h2>Settings</h2>
            <SettingsFields task={task} settings={choice.settings} onChange={(settings) => change({ settings })} />
            {!verdict.valid && <p class="field-error">{verdict.reason}</p>}
            <TextInput
              label="Name of the result"
              value={choice.name}
              maxLength={200}
              placeholder={chosen && imagery ? `${chosen.name} on ${imagery.name}` : ""}
              onChange={(name) => change({ name })}
            />
          </section>
          {error !== null && <ErrorNote error={error} />}
          <div class="row">
            <Button kind="primary" type="submit" busy={busy} disabled={!verdict.valid || estimate?.fits !== true}>
              Run the model
            </Button>
            <Work estimate={estimate} />
          </div>
        </form>
        {imagery && <ExtentCard imagery={imagery} extent={choice.extent} onExtent={(extent) => change({ extent })} />}
      </div>
    </>
  );
}

/** Ask the server what the choice means, a little after the last change. */
function useEstimate(choice: Choice, task: Package["task"], valid: boolean): Estimate | null {
  const [found, setFound] = useState<Estimate | null>(null);
  const body = JSON.stringify(bodyOf({ ...choice, name: "" }, task));
  useEffect(() => {
    if (!valid) return undefined;
    setFound(null);
    const stop = new AbortController();
    const timer = setTimeout(() => {
      post<Estimate>("/api/inferences/estimate", JSON.parse(body), { signal: stop.signal }).then(setFound, (error: unknown) => {
        if (stop.signal.aborted) return;
        const message = error instanceof Error ? error.message : String(error);
        setFound({ fits: false, problem: { code: "error", message, fix: "" }, notes: [], blocks: 0, pixels: 0, seconds: null });
      });
    }, 250);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [body, valid]);
  return found;
}

function PackageHint({ chosen }: { chosen: Package }): JSX.Element {
  const what = chosen.task === "classify_pixels" ? "Classifies pixels" : "Detects objects";
  return (
    <>
      {what}: {chosen.classes.map((entry) => entry.name).join(", ")}. Takes {chosen.bands.join(", ")} ({chosen.dtype}) at{" "}
      {number(chosen.resolution_m)} m.
    </>
  );
}

function Fit({ estimate }: { estimate: Estimate | null }): JSX.Element {
  return (
    <div aria-live="polite">
      {!estimate && (
        <p class="muted row">
          <Spinner label="Checking" /> Checking whether they fit
        </p>
      )}
      {estimate?.problem && (
        <div class="note error">
          <strong>{estimate.problem.message}</strong>
          {estimate.problem.fix && <p>{estimate.problem.fix}</p>}
        </div>
      )}
      {estimate?.fits && (
        <div class="note ok">
          <strong>The model fits this imagery.</strong>
          {estimate.notes.map((note) => (
            <p key={note}>{note}</p>
          ))}
        </div>
      )}
    </div>
  );
}

function Work({ estimate }: { estimate: Estimate | null }): JSX.Element | null {
  if (!estimate?.fits) return null;
  return (
    <p class="muted numeric">
      {plural(estimate.blocks, "block")}, {number(estimate.pixels / 1e6, 1)} Mpx
      {estimate.seconds !== null && `, about ${duration(estimate.seconds)}`}
    </p>
  );
}

interface FieldsProps {
  task: Package["task"];
  settings: Settings;
  onChange: (settings: Settings) => void;
}

function SettingsFields({ task, settings, onChange }: FieldsProps): JSX.Element {
  const set = (values: Partial<Settings>): void => onChange({ ...settings, ...values });
  // An empty field is no number, and `check` says so.
  const or = (value: number | null): number => value ?? Number.NaN;
  if (task === "detect_objects")
    return (
      <>
        <NumberInput
          label="Score threshold"
          hint="Objects with a lower score are left out."
          min={0}
          max={1}
          step={0.05}
          value={settings.threshold}
          onChange={(value) => set({ threshold: or(value) })}
        />
        <NumberInput
          label="Maximum overlap"
          hint="Two objects of one class that overlap more (intersection over union) are one."
          min={0}
          max={1}
          step={0.05}
          value={settings.max_overlap}
          onChange={(value) => set({ max_overlap: or(value) })}
        />
      </>
    );
  return (
    <>
      <Checkbox label="Also make polygons" checked={settings.polygons} onChange={(polygons) => set({ polygons })} />
      {settings.polygons && (
        <NumberInput
          label="Minimum area, m²"
          hint="Smaller polygons are left out, smaller holes are filled."
          min={0}
          value={settings.min_area_m2}
          onChange={(value) => set({ min_area_m2: or(value) })}
        />
      )}
      <NumberInput
        label="Minimum probability"
        hint="Pixels whose best class is less likely become background. 0 keeps all."
        min={0}
        max={1}
        step={0.05}
        value={settings.threshold}
        onChange={(value) => set({ threshold: or(value) })}
      />
      <Select
        label="Where chips meet"
        value={settings.stitch}
        options={[
          { value: "trim", label: "Trim the edges (fast)" },
          { value: "blend", label: "Blend neighbours (slower, smoother)" },
        ]}
        onChange={(value) => set({ stitch: value === "blend" ? "blend" : "trim" })}
      />
    </>
  );
}

interface ExtentProps {
  imagery: Imagery;
  extent: Extent | null;
  onExtent: (extent: Extent | null) => void;
}

function ExtentCard({ imagery, extent, onExtent }: ExtentProps): JSX.Element {
  const holderRef = useRef<HTMLDivElement>(null);
  const mapRef = useRef<ExtentMap | null>(null);
  const tellRef = useRef(onExtent);
  const [drawing, setDrawing] = useState(false);
  useEffect(() => {
    tellRef.current = onExtent;
  }, [onExtent]);
  useEffect(() => {
    if (!holderRef.current) return undefined;
    const opened = openExtentMap(holderRef.current, { onExtent: (drawn) => tellRef.current(drawn), onDrawing: setDrawing });
    mapRef.current = opened;
    return () => opened.stop();
  }, []);
  useEffect(() => mapRef.current?.show(imagery), [imagery]);
  return (
    <section class="card inference-extent">
      <h2>Where</h2>
      <div class="row">
        <Button small onClick={() => mapRef.current?.draw()} disabled={drawing}>
          Draw an extent
        </Button>
        <Button small onClick={() => mapRef.current?.useView()}>
          Use the current view
        </Button>
        <Button small kind="quiet" disabled={extent === null && !drawing} onClick={() => mapRef.current?.clear()}>
          Whole imagery
        </Button>
        <span class="muted" aria-live="polite">
          {drawing ? "Click the corners; double-click or press Enter to close." : extent ? "Only inside the extent." : "The whole imagery."}
        </span>
      </div>
      <div class="inference-map" ref={holderRef} />
    </section>
  );
}
