// Sending what a dialog asks for: busy meanwhile, and its error where it fails.
import { useRef, useState } from "preact/hooks";

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
  // At once, and not with the next picture: two presses of a key come before it.
  const sendingRef = useRef(false);
  const submit = async (): Promise<void> => {
    if (sendingRef.current) return;
    sendingRef.current = true;
    setBusy(true);
    setError(null);
    try {
      await send();
    } catch (failure) {
      sendingRef.current = false;
      setError(failure);
      setBusy(false);
    }
  };
  return { busy, error, submit: () => void submit() };
}
