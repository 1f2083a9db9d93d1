// The class schema: names, colours and order are free to change; a value stays what it is; classes retire.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { put } from "../ui/api";
import { Button, Dialog, ErrorNote, IconButton, toast } from "../ui/components";
import { useSubmit } from "../ui/submit";
import { SHAPE_NAMES, SHAPES } from "./class-shapes";
import type { ClassShape, LabelClass } from "./types";

export interface Draft {
  readonly value: number;
  readonly name: string;
  readonly colour: string;
  readonly retired: boolean;
  /** What may be drawn as it; one at least. */
  readonly shapes: readonly ClassShape[];
  /** Not yet on the server: its value may still change. */
  readonly fresh: boolean;
}

/** Colours for new classes: ColorBrewer Dark2 and Set1, apart from each other and from imagery. */
const COLOURS = ["#1b9e77", "#d95f02", "#7570b3", "#e7298a", "#66a61e", "#e6ab02", "#377eb8", "#e41a1c", "#984ea3", "#ff7f00", "#a65628", "#f781bf"];
const MOST_VALUE = 65535;

export function draftsOf(classes: readonly LabelClass[]): Draft[] {
  return classes.map(({ value, name, colour, retired, shapes = SHAPES }) => ({ value, name, colour, retired, shapes, fresh: false }));
}

export function added(drafts: readonly Draft[]): Draft[] {
  const value = Math.max(0, ...drafts.map((one) => one.value)) + 1;
  const used = new Set(drafts.map(({ colour }) => colour.toLowerCase()));
  const colour = COLOURS.find((one) => !used.has(one)) ?? COLOURS[drafts.length % COLOURS.length] ?? "#1b9e77";
  return [...drafts, { value, name: "", colour, retired: false, shapes: SHAPES, fresh: true }];
}

export function moved(drafts: readonly Draft[], at: number, by: 1 | -1): Draft[] {
  const next = [...drafts];
  const [one] = next.splice(at, 1);
  if (one) next.splice(at + by, 0, one);
  return next;
}

/** What is wrong with the schema, by the class's place in it; empty when it can be saved. */
export function faults(drafts: readonly Draft[]): ReadonlyMap<number, string> {
  const found = new Map<number, string>();
  drafts.forEach(({ value, name }, i) => {
    const key = name.trim().toLowerCase();
    if (!key) found.set(i, "Give it a name.");
    else if (drafts.some((other, j) => j < i && other.name.trim().toLowerCase() === key)) found.set(i, "This name is taken.");
    else if (!Number.isInteger(value) || value < 1 || value > MOST_VALUE) found.set(i, `The value must be 1 to ${MOST_VALUE}.`);
    else if (drafts.some((other, j) => j < i && other.value === value)) found.set(i, "This value is taken.");
  });
  return found;
}

export interface SchemaDialogProps {
  readonly classes: readonly LabelClass[];
  readonly url: string;
  readonly onSaved: (classes: readonly LabelClass[]) => void;
  readonly onClose: () => void;
  /** What it opens with, where that is not the classes as they are: a schema read from a file. */
  readonly drafts?: readonly Draft[] | undefined;
}

export function SchemaDialog({ classes, url, onSaved, onClose, drafts: first }: SchemaDialogProps): JSX.Element {
  const [drafts, setDrafts] = useState(() => first ?? (classes.length ? draftsOf(classes) : added([])));
  const wrong = faults(drafts);
  const change = (at: number, to: Partial<Draft>): void => setDrafts(drafts.map((one, i) => (i === at ? { ...one, ...to } : one)));
  const { busy, error, submit } = useSubmit(async () => {
    const body = { classes: drafts.map(({ value, name, colour, retired, shapes }) => ({ value, name: name.trim(), colour, retired, shapes })) };
    const saved = await put<{ classes: LabelClass[] }>(url, body);
    onSaved(saved.classes);
    toast("The classes are saved.", "ok");
    onClose();
  });
  return (
    <Dialog
      title="Classes"
      wide
      onClose={onClose}
      onSubmit={() => wrong.size === 0 && submit()}
      actions={
        <>
          <Button onClick={() => setDrafts(added(drafts))}>Add class</Button>
          <span class="spacer" />
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" busy={busy} disabled={wrong.size > 0}>Save classes</Button>
        </>
      }
    >
      <p class="muted small-text">Masks and models store the value, so it cannot change once saved. A retired class keeps its samples but is no longer offered.</p>
      <div class="label-schema-head" aria-hidden="true">
        <span>Value</span>
        <span>Colour</span>
        <span>Name</span>
        <span>Drawn as</span>
      </div>
      <ol class="label-schema">
        {drafts.map((draft, i) => (
          <li key={draft.fresh ? `new ${i}` : draft.value} class={draft.retired ? "retired" : undefined}>
            <input
              class="input numeric" type="number" aria-label={`Value of class ${i + 1}`} min={1} max={MOST_VALUE}
              value={draft.value} disabled={!draft.fresh} onInput={(event) => change(i, { value: event.currentTarget.valueAsNumber })}
            />
            <input type="color" aria-label={`Colour of ${draft.name || `class ${i + 1}`}`} value={draft.colour} onInput={(event) => change(i, { colour: event.currentTarget.value })} />
            <div class="label-schema-name">
              <input
                class="input" aria-label={`Name of class ${i + 1}`} value={draft.name} maxLength={100} aria-invalid={wrong.has(i) && draft.name !== ""}
                autofocus={draft.fresh && i === 0}
                ref={(element) => {
                  if (element && draft.fresh && draft.name === "" && i === drafts.length - 1 && document.activeElement !== element && !element.dataset["met"]) {
                    element.dataset["met"] = "1";
                    element.focus();
                  }
                }}
                onInput={(event) => change(i, { name: event.currentTarget.value })}
              />
              {wrong.has(i) && draft.name !== "" && <span class="field-error">{wrong.get(i)}</span>}
            </div>
            <Shapes draft={draft} onChange={(shapes) => change(i, { shapes })} />
            <IconButton small label="Earlier" icon="up" disabled={i === 0} onClick={() => setDrafts(moved(drafts, i, -1))} />
            <IconButton small label="Later" icon="down" disabled={i === drafts.length - 1} onClick={() => setDrafts(moved(drafts, i, 1))} />
            {draft.fresh ? (
              <IconButton small label="Remove" icon="close" onClick={() => setDrafts(drafts.filter((_, j) => j !== i))} />
            ) : (
              <Button small kind="quiet" onClick={() => change(i, { retired: !draft.retired })}>{draft.retired ? "Offer again" : "Retire"}</Button>
            )}
          </li>
        ))}
      </ol>
      {error !== null && <ErrorNote error={error} />}
    </Dialog>
  );
}

/** What may be drawn as a class: the last one cannot be switched off. */
function Shapes({ draft, onChange }: { draft: Draft; onChange: (shapes: readonly ClassShape[]) => void }): JSX.Element {
  const { shapes } = draft;
  return (
    <div class="label-schema-shapes" role="group" aria-label={`${draft.name || "The class"} is drawn as`}>
      {SHAPES.map((shape) => {
        const on = shapes.includes(shape);
        return (
          <IconButton
            key={shape} small icon={shape} label={`${SHAPE_NAMES[shape]}: ${on ? "yes" : "no"}`} pressed={on} disabled={on && shapes.length === 1}
            onClick={() => onChange(SHAPES.filter((one) => (one === shape ? !on : shapes.includes(one))))}
          />
        );
      })}
    </div>
  );
}
