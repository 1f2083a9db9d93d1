// Which column names the class, what each of its values becomes, and which columns come along under which name.

import type { JSX } from "preact";
import { Select } from "../ui/components";
import { number, plural } from "../ui/format";
import { keptFields, withClassField } from "./choices";
import type { Choices, ClassChoice } from "./choices";
import type { FileClass, FileField } from "./types";

export interface MappingProps {
  readonly fields: readonly FileField[];
  readonly classes: readonly FileClass[];
  readonly choices: Choices;
  readonly mayAdd: boolean;
  readonly onChange: (choices: Choices) => void;
}

/** Values of which one is worth a row; the rest is found by name. */
const ROWS = 60;

function chosen(text: string): ClassChoice {
  return text === "new" || text === "none" || text === "skip" ? text : Number(text);
}

export function ClassMapping({ fields, classes, choices, mayAdd, onChange }: MappingProps): JSX.Element {
  const offered = classes.filter(({ retired }) => !retired).map((one) => ({ value: String(one.value), label: one.name }));
  const values = fields.find(({ name }) => name === choices.classField)?.values ?? null;
  return (
    <>
      <div class="file-pair">
        <Select
          label="Class"
          value={choices.classField}
          onChange={(name) => onChange(withClassField(choices, fields, name, classes, mayAdd))}
          options={[{ value: "", label: "One class for all" }, ...fields.map(({ name }) => ({ value: name, label: `From “${name}”` }))]}
        />
        <Select
          label={choices.classField ? "Where it is empty" : "Class of all features"}
          value={String(choices.classValue)}
          onChange={(value) => onChange({ ...choices, classValue: Number(value) })}
          options={[{ value: "0", label: "No class" }, ...offered]}
        />
      </div>
      {choices.classField && values === null && (
        <p class="note warn">“{choices.classField}” holds very many different values: features whose value is no class here are left out. Choose another column, or one class for all.</p>
      )}
      {values !== null && values.length > 0 && (
        <div class="file-scroll">
          <table class="table file-classes">
            <thead>
              <tr><th scope="col">In the file</th><th scope="col" class="right">Features</th><th scope="col">Becomes</th></tr>
            </thead>
            <tbody>
              {values.slice(0, ROWS).map(([text, count]) => (
                <tr key={text}>
                  <td>{text === "" ? <span class="muted">empty</span> : text}</td>
                  <td class="numeric right">{number(count)}</td>
                  <td>
                    <select
                      class="select" aria-label={`Class of ${text || "empty"}`} value={String(choices.classMap[text] ?? "none")}
                      onChange={(event) => onChange({ ...choices, classMap: { ...choices.classMap, [text]: chosen(event.currentTarget.value) } })}
                    >
                      {offered.map(({ value, label }) => <option key={value} value={value}>{label}</option>)}
                      {mayAdd && text !== "" && <option value="new">New class “{text}”</option>}
                      <option value="none">No class</option>
                      <option value="skip">Leave out</option>
                    </select>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
          {values.length > ROWS && <p class="muted small-text">{plural(values.length - ROWS, "more value")} as guessed: by name, else {mayAdd ? "a new class" : "no class"}.</p>}
        </div>
      )}
    </>
  );
}

export function FieldMapping({ fields, choices, onChange }: Omit<MappingProps, "classes" | "mayAdd">): JSX.Element | null {
  const kept = keptFields(fields);
  if (!kept.length) return null;
  const name = (field: string): string => choices.fields[field] ?? field;
  const set = (field: string, to: string): void => onChange({ ...choices, fields: { ...choices.fields, [field]: to } });
  return (
    <details class="file-more">
      <summary>{plural(kept.filter((field) => name(field.name) !== "").length, "field")} of {number(kept.length)} come along</summary>
      <ul class="file-fields">
        {kept.map((field) => (
          <li key={field.name}>
            <label class="checkbox">
              <input type="checkbox" checked={name(field.name) !== ""} onChange={(event) => set(field.name, event.currentTarget.checked ? field.name : "")} />
              <span class="truncate" title={field.name}>{field.name}</span>
            </label>
            <span class="muted small-text">{typesText(field)}</span>
            <input
              class="input" aria-label={`Name of ${field.name} here`} value={name(field.name)} maxLength={100} disabled={name(field.name) === ""}
              onInput={(event) => set(field.name, event.currentTarget.value || field.name)}
            />
          </li>
        ))}
      </ul>
    </details>
  );
}

const WORDS: Readonly<Record<string, string>> = { str: "text", int: "whole number", float: "number", bool: "yes or no" };

function typesText(field: FileField): string {
  return field.types.length ? field.types.map((type) => WORDS[type] ?? type).join(", ") : "empty";
}
