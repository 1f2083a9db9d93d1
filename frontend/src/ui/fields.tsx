// What one types or chooses, each with its label.
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";

export interface FieldProps {
  label: string;
  hint?: ComponentChildren;
  error?: string | undefined;
  /** Hide the label from sight, not from screen readers. */
  quiet?: boolean | undefined;
  /** Receives the id and aria attributes that the control must carry. */
  children: (control: ControlProps) => ComponentChildren;
}

export interface ControlProps {
  id: string;
  "aria-describedby"?: string | undefined;
  "aria-invalid"?: boolean | undefined;
}

/** Label, control, hint and error, tied together. */
export function Field(props: FieldProps): JSX.Element {
  const id = useId();
  const hinted = props.hint !== undefined || props.error !== undefined;
  return (
    <div class="field">
      <label for={id} class={props.quiet ? "visually-hidden" : undefined}>
        {props.label}
      </label>
      {props.children({
        id,
        "aria-describedby": hinted ? `${id}-hint` : undefined,
        "aria-invalid": props.error === undefined ? undefined : true,
      })}
      {hinted && (
        <p id={`${id}-hint`} class={props.error === undefined ? "field-hint" : "field-error"}>
          {props.error ?? props.hint}
        </p>
      )}
    </div>
  );
}

interface LabelledProps {
  label: string;
  hint?: ComponentChildren;
  error?: string | undefined;
  quiet?: boolean | undefined;
  disabled?: boolean | undefined;
  name?: string | undefined;
}

export interface TextInputProps extends LabelledProps {
  value: string;
  onChange: (value: string) => void;
  placeholder?: string | undefined;
  type?: "text" | "search" | "password" | "email" | "date" | undefined;
  required?: boolean | undefined;
  autofocus?: boolean | undefined;
  maxLength?: number | undefined;
  /** More than one makes it a text area of so many rows. */
  rows?: number | undefined;
}

/** A line (or some lines) of text with its label. */
export function TextInput(props: TextInputProps): JSX.Element {
  // The attribute moves the focus when a dialog opens, the effect anywhere else.
  const control = useRef<HTMLInputElement & HTMLTextAreaElement>(null);
  useEffect(() => {
    if (props.autofocus) control.current?.focus();
  }, [props.autofocus]);
  return (
    <Field label={props.label} hint={props.hint} error={props.error} quiet={props.quiet}>
      {(aria) =>
        props.rows !== undefined && props.rows > 1 ? (
          <textarea
            ref={control}
            class="input"
            rows={props.rows}
            value={props.value}
            name={props.name}
            placeholder={props.placeholder}
            disabled={props.disabled}
            required={props.required}
            maxLength={props.maxLength}
            autofocus={props.autofocus}
            onInput={(event) => props.onChange(event.currentTarget.value)}
            onKeyDown={(event) => {
              // Enter begins a line here; with Ctrl it sends the form, as it does from a field of one line.
              if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
              event.preventDefault();
              const send = event.currentTarget.form?.querySelector<HTMLButtonElement>("button[type=submit]");
              if (!event.repeat && !send?.disabled) event.currentTarget.form?.requestSubmit();
            }}
            {...aria}
          />
        ) : (
          <input
            ref={control}
            class="input"
            {...{ type: props.type ?? "text" } as { type: "text" }}
            value={props.value}
            name={props.name}
            placeholder={props.placeholder}
            disabled={props.disabled}
            required={props.required}
            maxLength={props.maxLength}
            autocomplete="off"
            autofocus={props.autofocus}
            onInput={(event) => props.onChange(event.currentTarget.value)}
            {...aria}
          />
        )
      }
    </Field>
  );
}

export interface NumberInputProps extends LabelledProps {
  value: number | null;
  /** null while the text is no number. */
  onChange: (value: number | null) => void;
  min?: number | undefined;
  max?: number | undefined;
  step?: number | "any" | undefined;
  placeholder?: string | undefined;
}

/**
 * The step of the arrow keys: browsers refuse whole forms for a value between two steps, but a fraction's steps are only
 * a convenience. A model's own threshold of 0.36 is no mistake where the arrows go by 0.05; 2.5 epochs are one.
 */
export function stepFor(value: number | null, step: number | "any", from: number): number | "any" {
  if (step === "any" || value === null || Number.isInteger(step)) return step;
  const steps = (value - from) / step;
  return Math.abs(steps - Math.round(steps)) < 1e-6 ? step : "any";
}

/** A number with its label. */
export function NumberInput(props: NumberInputProps): JSX.Element {
  return (
    <Field label={props.label} hint={props.hint} error={props.error} quiet={props.quiet}>
      {(aria) => (
        <input
          class="input numeric"
          type="number"
          inputMode="decimal"
          value={props.value ?? ""}
          name={props.name}
          min={props.min}
          max={props.max}
          step={stepFor(props.value, props.step ?? "any", props.min ?? 0)}
          placeholder={props.placeholder}
          disabled={props.disabled}
          onInput={(event) => {
            const value = event.currentTarget.valueAsNumber;
            props.onChange(Number.isNaN(value) ? null : value);
          }}
          {...aria}
        />
      )}
    </Field>
  );
}

export interface Option {
  value: string;
  label: string;
  disabled?: boolean | undefined;
}

export interface SelectProps extends LabelledProps {
  value: string;
  options: readonly Option[];
  onChange: (value: string) => void;
}

/** One of a few, with its label. */
export function Select(props: SelectProps): JSX.Element {
  return (
    <Field label={props.label} hint={props.hint} error={props.error} quiet={props.quiet}>
      {(aria) => (
        <select
          class="select"
          value={props.value}
          name={props.name}
          disabled={props.disabled}
          onChange={(event) => props.onChange(event.currentTarget.value)}
          {...aria}
        >
          {props.options.map((option) => (
            <option key={option.value} value={option.value} disabled={option.disabled} selected={option.value === props.value}>
              {option.label}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

/** Yes or no, with its label. */
export function Checkbox(props: {
  label: ComponentChildren;
  checked: boolean;
  onChange: (checked: boolean) => void;
  disabled?: boolean | undefined;
  name?: string | undefined;
}): JSX.Element {
  return (
    <label class="checkbox">
      <input
        type="checkbox"
        checked={props.checked}
        name={props.name}
        disabled={props.disabled}
        onChange={(event) => props.onChange(event.currentTarget.checked)}
      />
      <span>{props.label}</span>
    </label>
  );
}
