// Sending what a dialog asks for: busy meanwhile, and its error where it fails.
import { useState } from "preact/hooks";

export interface Submitting {
  busy: boolean;
  /** null: none. */
  error: unknown;
  submit: () => void;
}

/** Run `send` once at a time. It stays busy when that succeeds: whoever sent closes the dialog, or leaves the page. */
export function useSubmit(send: () => void | Promise<void>): Submitting {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const submit = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      await send();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  return { busy, error, submit: () => void submit() };
}
