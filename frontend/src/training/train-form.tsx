// The form that starts a training: few questions, the rest on demand.
import { useState } from "preact/hooks";
import type { JSX } from "preact";
import type { Run } from "../runs/types";
import { post } from "../ui/api";
import { Button, Checkbox, Dialog, ErrorNote, NumberInput, TextInput } from "../ui/components";
import type { TrainingData } from "./types";

export interface TrainFormProps {
  data: TrainingData;
  defaults: Record<string, number | boolean>;
  onClose: () => void;
}

interface Question {
  key: string;
  label: string;
  hint: string;
  min: number;
  max: number;
  step: number | "any";
}

const FIRST: Question[] = [
  { key: "epochs", label: "Epochs", hint: "Passes over the chips.", min: 1, max: 10_000, step: 1 },
  { key: "batch_size", label: "Chips per batch", hint: "Fewer need less memory.", min: 1, max: 1024, step: 1 },
  { key: "patience", label: "Patience", hint: "Stop after so many epochs without progress; 0: never.", min: 0, max: 10_000, step: 1 },
];
const MORE: Question[] = [
  { key: "learning_rate", label: "Learning rate", hint: "The highest of the one-cycle schedule.", min: 1e-7, max: 1, step: "any" },
  { key: "weight_decay", label: "Weight decay", hint: "Keeps weights small.", min: 0, max: 1, step: "any" },
  { key: "min_delta", label: "Least progress", hint: "What counts as better.", min: 0, max: 1, step: "any" },
  { key: "seed", label: "Seed", hint: "The same seed gives the same model.", min: 0, max: 2_147_483_647, step: 1 },
];

export function TrainForm({ data, defaults, onClose }: TrainFormProps): JSX.Element {
  const [name, setName] = useState("");
  const [values, setValues] = useState<Record<string, number | boolean | null>>(defaults);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const pixels = data.task === "classify_pixels";
  const put = (key: string, value: number | boolean | null): void => setValues((before) => ({ ...before, [key]: value }));
  const ask = (question: Question): JSX.Element => {
    const value = values[question.key];
    return (
      <NumberInput
        key={question.key}
        label={question.label}
        hint={question.hint}
        value={typeof value === "number" ? value : null}
        onChange={(told) => put(question.key, told)}
        min={question.min}
        max={question.max}
        step={question.step}
      />
    );
  };
  const check = (key: string, label: string): JSX.Element => (
    <Checkbox label={label} checked={values[key] === true} onChange={(on) => put(key, on)} />
  );
  const submit = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      const settings = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null));
      const run = await post<Run>("/api/runs/", { training_data: data.id, name, settings });
      window.location.assign(run.url);
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  return (
    <Dialog
      title="Train a model"
      onClose={onClose}
      onSubmit={() => void submit()}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" busy={busy}>
            Start training
          </Button>
        </>
      }
    >
      <div class="stack">
        <TextInput label="Name of the model" value={name} onChange={setName} placeholder={data.name} maxLength={200} autofocus />
        <p class="muted small-text">Network: {pixels ? "U-Net" : "RetinaNet"} on EfficientNet-lite0.</p>
        <div class="training-fields">{FIRST.map(ask)}</div>
        {check("pretrained", "Start from ImageNet weights")}
        <details>
          <summary>More settings</summary>
          <div class="stack training-more">
            <div class="training-fields">{MORE.map(ask)}</div>
            {check("augment", "Augment chips: rotate, mirror, relight")}
            {pixels && check("class_weights", "Give rare classes more weight")}
          </div>
        </details>
        {error !== null && <ErrorNote error={error} />}
      </div>
    </Dialog>
  );
}
