// What taking the whole set back would change, and the button that does exactly that.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { asApiError } from "../ui/api";
import { Button, Dialog, ErrorNote, Icon, Spinner, toast } from "../ui/components";
import { number, plural } from "../ui/format";
import { previewRestoring, restoreSet } from "./past";
import type { Restoration } from "./past";

/** Which state: by number of the log or by moment, and in words. */
export type Target = ({ readonly seq: number } | { readonly at: string }) & { readonly said: string };

/** Says what would change, and restores exactly that. */
export function RestoreDialog({ layerUrl, target, onClose }: { layerUrl: string; target: Target; onClose: () => void }): JSX.Element {
  const [told, setTold] = useState<Restoration | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const [overtaken, setOvertaken] = useState(false);
  useEffect(() => {
    previewRestoring(layerUrl, target).then(setTold, setError);
  }, [layerUrl, target]);
  const go = async (): Promise<void> => {
    if (!told) return;
    setBusy(true);
    try {
      const done = await restoreSet(layerUrl, told);
      if ("job" in done) window.location.assign(`/jobs/${done.job}/`);
      else toast(`${plural(done.changes ?? 0, "sample")} restored. The step stands in the history and can be taken back there.`, "ok");
      onClose();
    } catch (failure) {
      if (asApiError(failure).code === "changed_since") {
        setOvertaken(true);
        setTold(null);
        // The number that was looked at, not the moment again: both name the same state, and only this one is asked for.
        await previewRestoring(layerUrl, { seq: told.target }).then(setTold, setError);
      } else setError(failure);
      setBusy(false);
    }
  };
  return (
    <Dialog
      title="Take the whole set back?" onClose={onClose} onSubmit={() => void go()}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" busy={busy} disabled={!told || told.changes === 0}>Restore</Button>
        </>
      }
    >
      <p>{target.said}</p>
      {overtaken && <p class="note warn" role="status"><Icon name="warn" /> Somebody changed the set meanwhile. Nothing was restored. This is what would change now:</p>}
      {!told && error === null && <Spinner label="Comparing with how it was" />}
      {told?.changes === null && <p>So much was done since that counting it takes too long here. A job compares and restores, unless somebody changes the set before it begins.</p>}
      {told && told.changes !== null && (told.changes === 0 ? !told.left_out && <p>The set is as it was then already.</p> : (
        <>
          <p>{plural(told.changes, "sample")} will be as {told.changes === 1 ? "it was" : "they were"} then:</p>
          <ul class="label-restoration">
            {([[told.brought_back, "deleted since, brought back"], [told.changed_back, "changed since, changed back"], [told.removed, "added since, removed"]] as const).map(
              ([count, what]) => !!count && <li key={what}><span class="numeric">{number(count)}</span> {what}</li>,
            )}
          </ul>
          <p class="muted small-text">Everybody who has the set open sees it at once. Nothing is wiped: you can go back to now in the same way.</p>
        </>
      ))}
      {!!told?.left_out && <p class="note warn"><Icon name="warn" /> {plural(told.left_out, "sample")} in areas that are labelled task by task now {told.left_out === 1 ? "stays" : "stay"} away until those are settled.</p>}
      {error !== null && <ErrorNote error={error} />}
    </Dialog>
  );
}
