// Two classes into one, and a part of one into a new one.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { get, post } from "../ui/api";
import { Checkbox, FormDialog, NumberInput, Select, TextInput, toast } from "../ui/components";
import { number, plural } from "../ui/format";
import type { ClassRow } from "./types";

export interface ClassDialogProps {
  readonly labelSetId: string;
  readonly source: ClassRow;
  readonly classes: readonly ClassRow[];
  readonly onDone: () => void;
  readonly onClose: () => void;
}

export function MergeDialog({ labelSetId, source, classes, onDone, onClose }: ClassDialogProps): JSX.Element {
  const others = classes.filter(({ value, retired }) => value !== null && value !== source.value && !retired);
  const [target, setTarget] = useState(String(others[0]?.value ?? ""));
  const into = others.find(({ value }) => String(value) === target);
  const merge = async (): Promise<void> => {
    const { moved } = await post<{ moved: number }>(`/api/label-sets/${labelSetId}/classes/merge`, { source: source.value, target: Number(target) });
    toast(`${plural(moved, "sample")} of ${source.name} became ${into?.name ?? ""}.`, "ok");
    onDone();
    onClose();
  };
  return (
    <FormDialog title={`Merge ${source.name}`} submitLabel="Merge" ready={into !== undefined} onSubmit={merge} onClose={onClose}>
      <Select label="Into" value={target} onChange={setTarget} options={others.map(({ value, name }) => ({ value: String(value), label: name }))} />
      <p>{plural(source.count, "sample")} of {source.name} {source.count === 1 ? "becomes" : "become"} {into?.name ?? "the other class"}, and {source.name} is retired. Every sample keeps its history.</p>
    </FormDialog>
  );
}

interface PartField {
  readonly name: string;
  readonly values: readonly (readonly [string, number])[];
}

const BY_AREA = "";

/** The first value that no class has. */
export function freeValue(classes: readonly { readonly value: number | null }[]): number {
  const taken = new Set(classes.map(({ value }) => value));
  let value = 1;
  while (taken.has(value)) value += 1;
  return value;
}

export function SplitDialog({ labelSetId, source, classes, onDone, onClose }: ClassDialogProps): JSX.Element {
  const [fields, setFields] = useState<readonly PartField[]>([]);
  const [field, setField] = useState(BY_AREA);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [smaller, setSmaller] = useState<number | null>(null);
  const [name, setName] = useState("");
  const [colour, setColour] = useState("#e7298a");
  useEffect(() => {
    get<{ fields: PartField[] }>(`/api/label-sets/${labelSetId}/classes/parts?class_value=${source.value ?? ""}`).then(
      ({ fields: found }) => {
        const useful = found.filter(({ values }) => values.length > 1);
        setFields(useful);
        setField(useful[0]?.name ?? BY_AREA);
      },
      () => undefined,
    );
  }, [labelSetId, source.value]);
  const values = fields.find((one) => one.name === field)?.values ?? [];
  const ready = name.trim() !== "" && (field === BY_AREA ? smaller !== null && smaller > 0 : chosen.size > 0);
  const split = async (): Promise<void> => {
    const part = field === BY_AREA ? { smaller_m2: smaller } : { field, values: [...chosen] };
    const fresh = { value: freeValue(classes), name: name.trim(), colour, retired: false };
    const { moved } = await post<{ moved: number }>(`/api/label-sets/${labelSetId}/classes/split`, { source: source.value, class: fresh, ...part });
    toast(`${plural(moved, "sample")} became ${name.trim()}.`, "ok");
    onDone();
    onClose();
  };
  const toggle = (text: string, on: boolean): void => {
    const next = new Set(chosen);
    if (on) next.add(text);
    else next.delete(text);
    setChosen(next);
  };
  return (
    <FormDialog title={`Split ${source.name}`} submitLabel="Split" ready={ready} onSubmit={split} onClose={onClose}>
      <Select
        label="Split off" value={field}
        onChange={(next) => {
          setField(next);
          setChosen(new Set());
        }}
        options={[...fields.map((one) => ({ value: one.name, label: `By the field “${one.name}”` })), { value: BY_AREA, label: "What is smaller than …" }]}
      />
      {field === BY_AREA ? (
        <NumberInput label="Square metres" value={smaller} onChange={setSmaller} min={0} />
      ) : (
        <fieldset class="class-values">
          <legend>Values that become the new class</legend>
          {values.map(([text, count]) => <Checkbox key={text} label={`${text} (${number(count)})`} checked={chosen.has(text)} onChange={(on) => toggle(text, on)} />)}
        </fieldset>
      )}
      <div class="class-new">
        <TextInput label="Name of the new class" value={name} onChange={setName} maxLength={100} />
        <label class="field"><span>Colour</span><input type="color" value={colour} onInput={(event) => setColour(event.currentTarget.value)} /></label>
      </div>
    </FormDialog>
  );
}
