// How a label set is to be exported.
import { useState } from "preact/hooks";
import type { JSX } from "preact";
import { post } from "../ui/api";
import { Button, Checkbox, EmptyState, ErrorNote, NumberInput, Select, TextInput } from "../ui/components";
import { number, plural } from "../ui/format";
import { SIZES, strideOf, suggestedCutting } from "./sizes";
import type { NewConfig, TrainingData } from "./types";

const TASKS: Record<string, string> = {
  Classified_Tiles: "Pixel classification (Classified_Tiles)",
  PASCAL_VOC_rectangles: "Object detection (PASCAL_VOC_rectangles)",
};
const OVERLAPS = [
  { value: "0", label: "None" },
  { value: "0.25", label: "25 %" },
  { value: "0.5", label: "50 %" },
];

export function ExportForm({ label_set: labelSet, imagery, labels, left_out: leftOut, formats }: NewConfig): JSX.Element {
  const [name, setName] = useState("");
  const [format, setFormat] = useState(formats[0] ?? "");
  const suggested = suggestedCutting(imagery.width, imagery.height);
  const [size, setSize] = useState(suggested.size);
  const [overlap, setOverlap] = useState(String(suggested.overlap));
  const [resolution, setResolution] = useState<number | null>(null);
  const [share, setShare] = useState<number | null>(20);
  const [seed, setSeed] = useState<number | null>(42);
  const [onlyLabelled, setOnlyLabelled] = useState(false);
  const [bands, setBands] = useState<readonly number[]>(imagery.bands.map((_, at) => at + 1));
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);

  const choose = (band: number, on: boolean): void =>
    setBands((before) => (on ? [...before, band].sort((a, b) => a - b) : before.filter((known) => known !== band)));
  const submit = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      const made = await post<TrainingData>("/api/training-data/", {
        label_set: labelSet.id,
        name,
        metadata_format: format,
        chip_px: size,
        stride_px: strideOf(size, Number(overlap)),
        resolution_m: resolution,
        validation: (share ?? 0) / 100,
        seed: seed ?? 42,
        features_only: onlyLabelled,
        bands: bands.length === imagery.bands.length ? null : bands,
      });
      window.location.assign(made.url);
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };

  if (labels === leftOut) {
    return (
      <EmptyState
        title="There is nothing to export yet"
        actions={
          <Button kind="primary" href={labelSet.url}>
            Open the label set
          </Button>
        }
      >
        Draw some objects on {imagery.name} first.
      </EmptyState>
    );
  }
  return (
    <form
      class="stack training-form"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <div class="page-head">
        <h1>Export training data</h1>
      </div>
      <p class="muted">
        {number(labels - leftOut)} labels of <a href={labelSet.url}>{labelSet.name}</a> over {imagery.name} are frozen as they are now and cut into
        chips. What is drawn later does not change them. Ground outside the bounds of the labels counts as not labelled.
      </p>
      {leftOut > 0 && <p class="note warn">Training takes areas: {plural(leftOut, "line or point", "lines and points")} {leftOut === 1 ? "is" : "are"} left out.</p>}
      <section class="card stack">
        <TextInput label="Name" value={name} onChange={setName} placeholder={labelSet.name} maxLength={200} />
        <Select
          label="Task"
          value={format}
          options={formats.map((value) => ({ value, label: TASKS[value] ?? value }))}
          onChange={setFormat}
        />
        <div class="training-fields">
          <Select
            label="Chip size"
            value={String(size)}
            options={SIZES.map((px) => ({ value: String(px), label: `${px} × ${px} px` }))}
            onChange={(value) => setSize(Number(value))}
          />
          <Select label="Overlap of chips" value={overlap} options={OVERLAPS} onChange={setOverlap} />
          <NumberInput
            label="Pixel size in metres"
            value={resolution}
            onChange={setResolution}
            min={0.001}
            step="any"
            placeholder={number(imagery.gsd_m, 3)}
            hint={`Empty: as the imagery, ${number(imagery.gsd_m, 3)} m.`}
          />
        </div>
        <Checkbox label="Leave out chips without any label" checked={onlyLabelled} onChange={setOnlyLabelled} />
      </section>
      <section class="card stack">
        <h2>Held out for validation</h2>
        <div class="training-fields">
          <NumberInput
            label="Share in %"
            value={share}
            onChange={setShare}
            min={0}
            max={50}
            step={1}
            hint="Whole blocks of ground, so that the score is honest."
          />
          <NumberInput label="Seed" value={seed} onChange={setSeed} min={0} step={1} hint="Chooses the blocks." />
        </div>
      </section>
      {imagery.bands.length > 1 && (
        <section class="card stack">
          <h2 id="bands-title">Bands</h2>
          <div class="row training-bands" role="group" aria-labelledby="bands-title">
            {imagery.bands.map((band, at) => (
              <Checkbox key={`${band} ${at}`} label={band} checked={bands.includes(at + 1)} onChange={(on) => choose(at + 1, on)} />
            ))}
          </div>
          <p class="field-hint">The model will need imagery with these bands in this order.</p>
        </section>
      )}
      {error !== null && <ErrorNote error={error} />}
      <div class="actions">
        <Button kind="primary" type="submit" busy={busy} disabled={bands.length === 0}>
          Export
        </Button>
        <Button href={labelSet.url}>Back to the labels</Button>
      </div>
    </form>
  );
}
