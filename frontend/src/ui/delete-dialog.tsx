// The one dialog before anything is deleted: what goes, what stays, what stands in the way.
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { get } from "./api";
import { Button, Checkbox, Dialog, ErrorNote, Spinner, TextInput } from "./components";
import { useSubmit } from "./submit";

/** What the server says of a deletion (`…/deletion`). */
export interface Deletion {
  allowed: boolean;
  goes: readonly string[];
  stays: readonly string[];
  used_by: readonly { kind: string; name: string; url: string | null }[];
  fix: string;
  /** Choices by name, each with its sentence. */
  options: Readonly<Record<string, string>>;
}

export interface DeleteDialogProps {
  /** What it is: "imagery", "run". */
  what: string;
  name: string;
  /** Where the consequences are read. */
  consequencesUrl: string;
  /** Ask for the name, typed: for what is much and gone for ever. */
  typed?: boolean | undefined;
  onDelete: (options: ReadonlySet<string>) => Promise<void>;
  onClose: () => void;
}

/** True where the person has typed what is asked for. */
export function confirmed(typed: boolean, name: string, given: string): boolean {
  return !typed || given === name;
}

/** Ask before a deletion, naming its consequences as they are now. */
export function DeleteDialog(props: DeleteDialogProps): JSX.Element {
  const { consequencesUrl, name, what, typed = false } = props;
  const [told, setTold] = useState<Deletion | null>(null);
  const [unread, setUnread] = useState<unknown>(null);
  const [given, setGiven] = useState("");
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  useEffect(() => {
    const stopper = new AbortController();
    get<Deletion>(consequencesUrl, { signal: stopper.signal }).then(setTold, (failure: unknown) => {
      if (!stopper.signal.aborted) setUnread(failure);
    });
    return () => stopper.abort();
  }, [consequencesUrl]);
  const ready = told?.allowed === true && confirmed(typed, name, given);
  const { busy, error: refused, submit } = useSubmit(() => props.onDelete(chosen));
  const error = refused ?? unread;
  const choose = (option: string, on: boolean): void => {
    const next = new Set(chosen);
    if (on) next.add(option);
    else next.delete(option);
    setChosen(next);
  };
  return (
    <Dialog
      title={told?.allowed === false ? `This ${what} is in use` : `Delete this ${what}?`}
      onClose={props.onClose}
      onSubmit={() => ready && !busy && submit()}
      actions={
        <>
          <Button onClick={props.onClose}>{told?.allowed === false ? "Close" : "Cancel"}</Button>
          {told?.allowed !== false && (
            <Button kind="danger" type="submit" busy={busy} disabled={!ready}>
              Delete
            </Button>
          )}
        </>
      }
    >
      <div class="stack delete-dialog">
        {told === null && error === null && <Spinner label="Looking at what depends on it" />}
        {told?.allowed === false && <InUse told={told} name={name} />}
        {told?.allowed === true && (
          <>
            <p>
              <strong class="break-anywhere">{name}</strong> is removed for ever:
            </p>
            <Lines lines={told.goes} />
            {told.stays.length > 0 && (
              <>
                <p>These stay:</p>
                <Lines lines={told.stays} />
              </>
            )}
            {Object.entries(told.options).map(([option, sentence]) => (
              <Checkbox key={option} label={sentence} checked={chosen.has(option)} onChange={(on) => choose(option, on)} />
            ))}
            {typed && <TextInput label={`Type the name of the ${what} to confirm`} value={given} onChange={setGiven} autofocus />}
          </>
        )}
        {error !== null && <ErrorNote error={error} />}
      </div>
    </Dialog>
  );
}

function InUse({ told, name }: { told: Deletion; name: string }): JSX.Element {
  return (
    <>
      <p>
        <strong class="break-anywhere">{name}</strong> cannot be deleted yet. It is used by:
      </p>
      <Lines
        lines={told.used_by.map((use) => (
          <>
            {use.kind} {use.url === null ? use.name : <a href={use.url}>{use.name}</a>}
          </>
        ))}
      />
      <p>{told.fix}</p>
    </>
  );
}

function Lines({ lines }: { lines: readonly ComponentChildren[] }): JSX.Element {
  return (
    <ul class="plain-list">
      {lines.map((line, at) => (
        <li key={at}>{line}</li>
      ))}
    </ul>
  );
}
