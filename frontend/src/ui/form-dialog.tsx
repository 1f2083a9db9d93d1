// A dialog that asks for some words and does one thing with them.
import type { ComponentChildren, JSX } from "preact";
import { Button } from "./buttons";
import { Dialog } from "./dialog";
import { ErrorNote } from "./feedback";
import { useSubmit } from "./submit";

export interface FormDialogProps {
  title: string;
  children: ComponentChildren;
  submitLabel: string;
  /** Whether what was entered can be sent. */
  ready: boolean;
  /** Closes the dialog or leaves the page; an error stays in the dialog. */
  onSubmit: () => Promise<void>;
  onClose: () => void;
}

/** The form of most dialogs: Cancel, one main button, and the error above them. */
export function FormDialog(props: FormDialogProps): JSX.Element {
  const { busy, error, submit } = useSubmit(props.onSubmit);
  return (
    <Dialog
      title={props.title}
      onClose={props.onClose}
      onSubmit={() => props.ready && submit()}
      actions={
        <>
          <Button onClick={props.onClose}>Cancel</Button>
          <Button kind="primary" type="submit" busy={busy} disabled={!props.ready}>
            {props.submitLabel}
          </Button>
        </>
      }
    >
      {props.children}
      {error !== null && <ErrorNote error={error} />}
    </Dialog>
  );
}
