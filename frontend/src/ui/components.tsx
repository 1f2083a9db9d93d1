// The building blocks of every page. Each is a plain function over native elements, so that keyboard and
// screen readers work as they do everywhere.
import { render } from "preact";
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { asApiError } from "./api";

type Tone = "neutral" | "ok" | "warn" | "bad" | "accent";

function classes(...names: (string | false | undefined)[]): string {
  return names.filter(Boolean).join(" ");
}

export interface ButtonProps {
  children: ComponentChildren;
  onClick?: ((event: MouseEvent) => void) | undefined;
  kind?: "normal" | "primary" | "danger" | "quiet" | undefined;
  small?: boolean | undefined;
  type?: "button" | "submit" | undefined;
  disabled?: boolean | undefined;
  /** Shows a spinner and takes no clicks while the work runs. */
  busy?: boolean | undefined;
  title?: string | undefined;
  id?: string | undefined;
  /** With `href` it is a link that looks like a button. */
  href?: string | undefined;
}

/** A button, or a link that looks like one. */
export function Button(props: ButtonProps): JSX.Element {
  const look = classes("button", props.kind !== "normal" && props.kind, props.small && "small");
  const inside = (
    <>
      {props.busy && <span class="spinner" aria-hidden="true" />}
      {props.children}
    </>
  );
  if (props.href !== undefined) {
    return (
      <a class={look} href={props.href} title={props.title} id={props.id} onClick={props.onClick}>
        {inside}
      </a>
    );
  }
  return (
    <button
      class={look}
      type={props.type ?? "button"}
      disabled={props.disabled === true || props.busy === true}
      aria-busy={props.busy === true}
      title={props.title}
      id={props.id}
      onClick={props.onClick}
    >
      {inside}
    </button>
  );
}

export interface IconButtonProps {
  /** Said by screen readers and shown as a tooltip. */
  label: string;
  icon: IconName;
  onClick: (event: MouseEvent) => void;
  pressed?: boolean | undefined;
  disabled?: boolean | undefined;
  small?: boolean | undefined;
}

/** A square button with a picture; its label is its name. */
export function IconButton(props: IconButtonProps): JSX.Element {
  return (
    <button
      class={classes("icon-button", props.small && "small")}
      type="button"
      aria-label={props.label}
      title={props.label}
      aria-pressed={props.pressed}
      disabled={props.disabled}
      onClick={props.onClick}
    >
      <Icon name={props.icon} />
    </button>
  );
}

// 16 px line icons, drawn for this site.
const ICONS = {
  add: "M8 3v10M3 8h10",
  close: "m4 4 8 8M12 4l-8 8",
  check: "m3 8.5 3.5 3.5L13 5",
  edit: "M10.5 3.5 12.5 5.5 6 12l-3 1 1-3ZM9 5l2 2",
  trash: "M3 4.5h10M6.5 4.5v-1h3v1M4.5 4.5l.5 8.5h6l.5-8.5M7 7v3.5M9 7v3.5",
  eye: "M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8ZM8 6a2 2 0 1 1 0 4 2 2 0 0 1 0-4Z",
  "eye-off": "M2 2l12 12M6.2 3.8A6 6 0 0 1 8 3.5c4 0 6.5 4.5 6.5 4.5a11 11 0 0 1-2 2.5M4 5.3A11 11 0 0 0 1.5 8S4 12.5 8 12.5a6 6 0 0 0 2.8-.7",
  up: "m4 10 4-4 4 4",
  down: "m4 6 4 4 4-4",
  left: "m10 4-4 4 4 4",
  right: "m6 4 4 4-4 4",
  zoom: "M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9ZM10.5 10.5 14 14M7 5v4M5 7h4",
  extent: "M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10",
  share: "M11 5.5a1.75 1.75 0 1 0 0-3.5 1.75 1.75 0 0 0 0 3.5ZM5 9.75a1.75 1.75 0 1 0 0-3.5 1.75 1.75 0 0 0 0 3.5ZM11 14a1.75 1.75 0 1 0 0-3.5 1.75 1.75 0 0 0 0 3.5ZM6.5 7.2l3-1.9M6.5 8.8l3 1.9",
  link: "M6.5 9.5a2.5 2.5 0 0 0 3.5 0l2.3-2.3a2.5 2.5 0 0 0-3.5-3.5l-1 1M9.5 6.5a2.5 2.5 0 0 0-3.5 0L3.7 8.8a2.5 2.5 0 0 0 3.5 3.5l1-1",
  magnet: "M3 2.5v5.5a5 5 0 0 0 10 0V2.5h-3V8a2 2 0 0 1-4 0V2.5ZM3 5.5h3M10 5.5h3",
  save: "M8 2.5v7M5 6.5l3 3 3-3M2.5 11.5v2h11v-2",
  layers: "M8 2 14 5.2 8 8.5 2 5.2ZM2.5 8 8 11l5.5-3M2.5 10.8 8 13.8l5.5-3",
  menu: "M2.5 4.5h11M2.5 8h11M2.5 11.5h11",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  grip: "M6 4h.01M10 4h.01M6 8h.01M10 8h.01M6 12h.01M10 12h.01",
  search: "M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9ZM10.5 10.5 14 14",
  undo: "M5.5 3.5 2.5 6.5l3 3M2.5 6.5H9a4 4 0 0 1 0 8H6.5",
  redo: "M10.5 3.5 13.5 6.5l-3 3M13.5 6.5H7a4 4 0 0 0 0 8h2.5",
  upload: "M8 10.5v-8M5 5.5l3-3 3 3M2.5 10.5v3h11v-3",
  download: "M8 2.5v8M5 7.5l3 3 3-3M2.5 10.5v3h11v-3",
  play: "M5 3.5v9l7-4.5Z",
  stop: "M4.5 4.5h7v7h-7Z",
  refresh: "M13 8a5 5 0 1 1-1.5-3.6M13 2.5v2.7h-2.7",
  info: "M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11ZM8 7.5v3M8 5.3h.01",
  warn: "M8 2.5 14.5 13.5h-13ZM8 6.5v3.5M8 11.8h.01",
  image: "M2.5 3.5h11v9h-11ZM2.5 10.5l3-3 3 3 2-2 3 3M10.5 6h.01",
  shapes: "M2.5 2.5h5v5h-5ZM11 8.5l3 5H8Z",
  model: "M8 2 13.5 5v6L8 14 2.5 11V5ZM2.5 5 8 8l5.5-3M8 8v6",
  map: "M2.5 4 6 2.5 10 4l3.5-1.5V12L10 13.5 6 12l-3.5 1.5ZM6 2.5V12M10 4v9.5",
  data: "M8 2.5c3 0 5 .9 5 2s-2 2-5 2-5-.9-5-2 2-2 5-2ZM3 4.5v7c0 1.1 2 2 5 2s5-.9 5-2v-7M3 8c0 1.1 2 2 5 2s5-.9 5-2",
  run: "M2.5 13.5v-11M2.5 13.5h11M4.5 10.5l3-4 2 2 3.5-5",
  box: "M3 3h10v10H3Z",
  polygon: "M8 2.5 13.5 6.5 11.5 13h-7L2.5 6.5Z",
  pointer: "M3.5 2.5 12.5 7 8.5 8.5 7 12.5Z",
} as const;

export type IconName = keyof typeof ICONS;

/** A 16 px line icon; it means nothing without the text or label beside it. */
export function Icon({ name }: { name: IconName }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <path d={ICONS[name]} {...(name === "more" || name === "grip" ? { "stroke-width": "2.2" } : {})} />
    </svg>
  );
}

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
  const control = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (props.autofocus) control.current?.focus();
  }, [props.autofocus]);
  return (
    <Field label={props.label} hint={props.hint} error={props.error} quiet={props.quiet}>
      {(aria) =>
        props.rows !== undefined && props.rows > 1 ? (
          <textarea
            class="input"
            rows={props.rows}
            value={props.value}
            name={props.name}
            placeholder={props.placeholder}
            disabled={props.disabled}
            required={props.required}
            onInput={(event) => props.onChange(event.currentTarget.value)}
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
          step={props.step ?? "any"}
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

export interface DialogProps {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  /** Buttons at the foot, the main one last. */
  actions?: ComponentChildren;
  wide?: boolean | undefined;
  /** Makes the dialog a form: Enter submits. */
  onSubmit?: (() => void) | undefined;
}

/** A modal dialog: rendered means open. Escape, the cross and, while nothing was typed, a click beside it close it. */
export function Dialog(props: DialogProps): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const typedRef = useRef(false);
  const id = useId();
  useEffect(() => {
    const shown = dialog.current;
    if (shown && !shown.open) shown.showModal();
    return () => shown?.close();
  }, []);
  const body = (
    <>
      <div class="dialog-body">{props.children}</div>
      {props.actions !== undefined && <div class="dialog-foot">{props.actions}</div>}
    </>
  );
  return (
    <dialog
      ref={dialog}
      class={classes("dialog", props.wide && "wide")}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        props.onClose();
      }}
      onInput={() => {
        typedRef.current = true;
      }}
      onMouseDown={(event) => {
        if (event.target === dialog.current && !typedRef.current) props.onClose();
      }}
    >
      <div class="dialog-head">
        <h2 id={id}>{props.title}</h2>
        <IconButton label="Close" icon="close" onClick={props.onClose} />
      </div>
      {props.onSubmit ? (
        <form
          class="dialog-form"
          onSubmit={(event) => {
            event.preventDefault();
            props.onSubmit?.();
          }}
        >
          {body}
        </form>
      ) : (
        body
      )}
    </dialog>
  );
}

export interface ConfirmDialogProps {
  title: string;
  children: ComponentChildren;
  confirmLabel: string;
  danger?: boolean | undefined;
  onConfirm: () => void | Promise<void>;
  onClose: () => void;
}

/** Asks before something that is not easily undone; shows the error where it fails. */
export function ConfirmDialog(props: ConfirmDialogProps): JSX.Element {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const confirm = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      await props.onConfirm();
      props.onClose();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  return (
    <Dialog
      title={props.title}
      onClose={props.onClose}
      actions={
        <>
          <Button onClick={props.onClose}>Cancel</Button>
          <Button kind={props.danger ? "danger" : "primary"} busy={busy} onClick={() => void confirm()}>
            {props.confirmLabel}
          </Button>
        </>
      }
    >
      <div>{props.children}</div>
      {error !== null && <ErrorNote error={error} />}
    </Dialog>
  );
}

/** One passing message. */
export function Toast({ message, tone = "neutral" }: { message: string; tone?: Tone | undefined }): JSX.Element {
  return <div class={classes("toast", tone !== "neutral" && tone)}>{message}</div>;
}

/** Show a passing message in the corner (and say it to screen readers). Errors stay a little longer. */
export function toast(message: string, tone: Tone = "neutral"): void {
  let list = document.querySelector<HTMLElement>(".toasts");
  if (!list) {
    list = document.createElement("div");
    list.className = "toasts";
    list.setAttribute("role", "status");
    list.setAttribute("aria-live", "polite");
    // A popover stands in the top layer, so a toast is seen above an open dialog too.
    list.setAttribute("popover", "manual");
    document.body.append(list);
  }
  list.hidePopover?.();
  list.showPopover?.();
  const holder = document.createElement("div");
  list.append(holder);
  render(<Toast message={message} tone={tone} />, holder);
  setTimeout(() => holder.remove(), tone === "bad" ? 8000 : 4000);
}

/** What to say where there is nothing yet: why, and what to do next. */
export function EmptyState(props: { title: string; children?: ComponentChildren; actions?: ComponentChildren }): JSX.Element {
  return (
    <div class="empty">
      <h2>{props.title}</h2>
      {props.children !== undefined && <p>{props.children}</p>}
      {props.actions !== undefined && <div class="actions">{props.actions}</div>}
    </div>
  );
}

/** An error with what to do about it; `retry` adds a button. */
export function ErrorNote({ error, retry }: { error: unknown; retry?: (() => void) | undefined }): JSX.Element {
  const told = asApiError(error);
  return (
    <div class="note error" role="alert">
      <strong>{told.message}</strong>
      {told.fix && <p>{told.fix}</p>}
      {retry && (
        <p>
          <Button small onClick={retry}>
            Try again
          </Button>
        </p>
      )}
    </div>
  );
}

/** A bar from 0 to 1; without a value it only says that something goes on. */
export function Progress({ value, label }: { value?: number | null | undefined; label: string }): JSX.Element {
  const known = value !== null && value !== undefined;
  return (
    <div
      class={classes("progress", !known && "indeterminate")}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={known ? Math.round(value * 100) : undefined}
    >
      <div style={known ? { transform: `scaleX(${Math.min(1, Math.max(0, value))})` } : {}} />
    </div>
  );
}

/** A word in a pill. */
export function Badge({ tone = "neutral", children }: { tone?: Tone | undefined; children: ComponentChildren }): JSX.Element {
  return <span class={classes("badge", tone !== "neutral" && tone)}>{children}</span>;
}

/** Something goes on. */
export function Spinner({ label = "Loading" }: { label?: string | undefined }): JSX.Element {
  return <span class="spinner" role="status" aria-label={label} />;
}

export interface Column<R> {
  key: string;
  label: string;
  render: (row: R) => ComponentChildren;
  align?: "left" | "right" | undefined;
  /** Leave it out below 720 px. */
  hideNarrow?: boolean | undefined;
  /** Makes the column sortable by this value. */
  sort?: ((row: R) => string | number) | undefined;
  width?: string | undefined;
}

export interface TableProps<R> {
  label: string;
  columns: readonly Column<R>[];
  rows: readonly R[];
  rowKey: (row: R) => string;
}

/** Rows in the order of a sortable column (stable); without one as they come. */
export function sorted<R>(rows: readonly R[], column: Column<R> | undefined, down: boolean): readonly R[] {
  const by = column?.sort;
  if (!by) return rows;
  const sign = down ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [x, y] = [by(a), by(b)];
    if (typeof x === "number" && typeof y === "number") return (x - y) * sign;
    return String(x).localeCompare(String(y), "en", { numeric: true }) * sign;
  });
}

/** A real table: scrolls sideways where it must, sorts by the columns that can. */
export function Table<R>(props: TableProps<R>): JSX.Element {
  const [order, setOrder] = useState<{ key: string; down: boolean } | null>(null);
  const rows = sorted(props.rows, props.columns.find((column) => column.key === order?.key), order?.down ?? false);
  const look = (column: Column<R>): string =>
    classes(column.align === "right" && "align-right", column.hideNarrow && "hide-narrow");
  const head = (column: Column<R>): ComponentChildren => {
    if (!column.sort) return column.label;
    const mine = order?.key === column.key;
    return (
      <button type="button" onClick={() => setOrder({ key: column.key, down: mine && !order.down })}>
        {column.label}
        <span aria-hidden="true">{mine ? (order.down ? "↓" : "↑") : ""}</span>
      </button>
    );
  };
  return (
    <div class="table-scroll">
      <table class="table" aria-label={props.label}>
        <thead>
          <tr>
            {props.columns.map((column) => (
              <th
                key={column.key}
                scope="col"
                class={look(column)}
                style={column.width === undefined ? {} : { width: column.width }}
                aria-sort={order?.key === column.key ? (order.down ? "descending" : "ascending") : undefined}
              >
                {head(column)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={props.rowKey(row)}>
              {props.columns.map((column) => (
                <td key={column.key} class={look(column)}>
                  {column.render(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export interface Tab {
  id: string;
  label: string;
}

/** A row of tabs; arrow keys move. The page shows the selected one's content itself. */
export function Tabs(props: { label: string; tabs: readonly Tab[]; selected: string; onSelect: (id: string) => void }): JSX.Element {
  const list = useRef<HTMLDivElement>(null);
  const move = (event: KeyboardEvent): void => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    const now = props.tabs.findIndex((tab) => tab.id === props.selected);
    const next = (now + step + props.tabs.length) % props.tabs.length;
    props.onSelect(props.tabs[next]?.id ?? props.selected);
    list.current?.querySelectorAll("button")[next]?.focus();
  };
  return (
    <div class="tabs" role="tablist" aria-label={props.label} ref={list} onKeyDown={move}>
      {props.tabs.map((tab) => (
        <button
          key={tab.id}
          type="button"
          role="tab"
          aria-selected={tab.id === props.selected}
          tabIndex={tab.id === props.selected ? 0 : -1}
          onClick={() => props.onSelect(tab.id)}
        >
          {tab.label}
        </button>
      ))}
    </div>
  );
}

export interface MenuItem {
  label: string;
  icon?: IconName | undefined;
  danger?: boolean | undefined;
  disabled?: boolean | undefined;
  onSelect: () => void;
}

/** A button that opens a list of actions; arrow keys, Escape and a click beside it work as expected. */
export function Menu(props: {
  label: string;
  items: readonly MenuItem[];
  /** What the button shows; without it three dots. */
  children?: ComponentChildren;
  /** Hang the list at the button's right edge. */
  end?: boolean | undefined;
  small?: boolean | undefined;
}): JSX.Element {
  const [open, setOpen] = useState(false);
  const holder = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) return undefined;
    const close = (event: MouseEvent): void => {
      if (event.target instanceof Node && !holder.current?.contains(event.target)) setOpen(false);
    };
    document.addEventListener("mousedown", close);
    holder.current?.querySelector<HTMLElement>(".menu-list button:not(:disabled)")?.focus();
    return () => document.removeEventListener("mousedown", close);
  }, [open]);
  const keys = (event: KeyboardEvent): void => {
    if (!open) return;
    const buttons = [...(holder.current?.querySelectorAll<HTMLElement>(".menu-list button:not(:disabled)") ?? [])];
    const now = buttons.indexOf(document.activeElement as HTMLElement);
    if (event.key === "Escape") {
      event.stopPropagation();
      setOpen(false);
      holder.current?.querySelector("button")?.focus();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      buttons[(now + step + buttons.length) % buttons.length]?.focus();
    } else if (event.key === "Tab") {
      setOpen(false);
    }
  };
  return (
    <div class={classes("menu", props.end && "end")} ref={holder} onKeyDown={keys}>
      <button
        type="button"
        class={props.children === undefined ? classes("icon-button", props.small && "small") : "button"}
        aria-haspopup="menu"
        aria-expanded={open}
        aria-label={props.label}
        title={props.children === undefined ? props.label : undefined}
        onClick={() => setOpen(!open)}
      >
        {props.children ?? <Icon name="more" />}
      </button>
      {open && (
        <div class="menu-list" role="menu" aria-label={props.label}>
          {props.items.map((item) => (
            <button
              key={item.label}
              type="button"
              role="menuitem"
              class={item.danger ? "danger" : undefined}
              disabled={item.disabled}
              onClick={() => {
                setOpen(false);
                item.onSelect();
              }}
            >
              {item.icon && <Icon name={item.icon} />}
              {item.label}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}
