// What a page says of itself: messages, errors, progress, emptiness.
import { render } from "preact";
import type { ComponentChildren, JSX } from "preact";
import { asApiError } from "./api";
import { Button } from "./buttons";
import { classes } from "./class-names";

type Tone = "neutral" | "ok" | "warn" | "bad" | "accent";

/** Where a message leads. */
export interface ToastLink {
  readonly href: string;
  readonly label: string;
}

const [PASSING_MS, BAD_MS, LINK_MS] = [4000, 8000, 15_000];

/** One passing message. */
export function Toast({ message, tone = "neutral", link }: { message: string; tone?: Tone | undefined; link?: ToastLink | undefined }): JSX.Element {
  return <div class={classes("toast", tone !== "neutral" && tone)}>{message}{link && <> <a href={link.href}>{link.label}</a></>}</div>;
}

/** Show a passing message in the corner (and say it to screen readers). Errors, and what leads somewhere, stay longer. */
export function toast(message: string, tone: Tone = "neutral", link?: ToastLink): void {
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
  render(<Toast message={message} tone={tone} link={link} />, holder);
  setTimeout(() => holder.remove(), link ? LINK_MS : tone === "bad" ? BAD_MS : PASSING_MS);
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
