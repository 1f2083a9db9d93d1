// Where a layer's file lies on another server, and whether it is still the one that was added.
import type { JSX } from "preact";
import { useCallback, useEffect, useState } from "preact/hooks";
import { get, post } from "../ui/api";
import { Badge, Button, ErrorNote, Spinner, toast } from "../ui/components";
import type { Layer } from "./types";

interface State {
  state: "same" | "changed" | "unreachable";
  message: string;
  fix: string;
}

const WORDS = { same: "Unchanged", changed: "Changed", unreachable: "Cannot be read" } as const;
const TONES = { same: "ok", changed: "warn", unreachable: "bad" } as const;

interface SourceCardProps {
  layer: Layer;
  source: NonNullable<Layer["remote"]>;
  mayEdit: boolean;
  onSaved: (layer: Layer) => void;
}

/** Show where the file lies and how it is there now. */
export function SourceCard({ layer, source, mayEdit, onSaved }: SourceCardProps): JSX.Element {
  const address = `/api/imagery/${layer.id}/source`;
  const [now, setNow] = useState<State | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const ask = useCallback((): void => {
    setNow(null);
    setError(null);
    get<State>(address).then(setNow, setError);
  }, [address]);
  useEffect(ask, [ask, layer.version]);
  const readAgain = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      onSaved(await post<Layer>(address));
      toast("The layer shows the file as it is now.", "ok");
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  return (
    <section class="card source-card" aria-labelledby="source-title">
      <div class="row">
        <h2 id="source-title">Source</h2>
        <span class="spacer" />
        {now ? <Badge tone={TONES[now.state]}>{WORDS[now.state]}</Badge> : error === null && <Spinner label="Asking its server" />}
      </div>
      <dl class="facts">
        <dt>File</dt>
        <dd>{source.url}</dd>
        {source.item && (
          <>
            <dt>STAC item</dt>
            <dd>{source.item}</dd>
          </>
        )}
      </dl>
      <p class="muted small-text">Read where it lies, in parts. Statistics come from an overview.</p>
      {now && now.message && (
        <div class={`note ${now.state === "same" ? "" : "warn"}`}>
          {now.message} {now.fix}
        </div>
      )}
      {error !== null && <ErrorNote error={error} retry={ask} />}
      {now && now.state !== "same" && (
        <div class="actions">
          {mayEdit && now.state === "changed" && (
            <Button kind="primary" busy={busy} onClick={() => void readAgain()}>
              Read again
            </Button>
          )}
          <Button onClick={ask}>Check again</Button>
        </div>
      )}
    </section>
  );
}
