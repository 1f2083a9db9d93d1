// A secret that the server tells only once.
import type { JSX } from "preact";
import { Button } from "./buttons";
import { toast } from "./feedback";

/** Show a secret that is gone after this page, and let people copy it. */
export function ShownOnce({ title, secret }: { title: string; secret: string }): JSX.Element {
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(secret);
    toast("Copied.", "ok");
  };
  return (
    <div class="note ok" role="status">
      <strong>{title}</strong>
      <div class="shown-once">
        <code>{secret}</code>
        {window.isSecureContext && (
          <Button small onClick={() => void copy()}>
            Copy
          </Button>
        )}
      </div>
    </div>
  );
}
