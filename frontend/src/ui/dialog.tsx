// Modal dialogs.
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { Button, IconButton } from "./buttons";
import { classes } from "./class-names";
import { ErrorNote } from "./feedback";
import { useSubmit } from "./submit";

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
  const { busy, error, submit } = useSubmit(async () => {
    await props.onConfirm();
    props.onClose();
  });
  return (
    <Dialog
      title={props.title}
      onClose={props.onClose}
      actions={
        <>
          <Button onClick={props.onClose}>Cancel</Button>
          <Button kind={props.danger ? "danger" : "primary"} busy={busy} onClick={submit}>
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
