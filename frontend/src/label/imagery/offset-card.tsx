// The card in which an offset is tried, worded and kept.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Button, IconButton, NumberInput, TextInput } from "../../ui/components";
import { plural } from "../../ui/format";
import { MOST_M, saidOf } from "./offset";
import type { Along, Draft } from "./offset";
import type { Imagery } from "./state";
import { useImagery } from "./use-imagery";

export interface OffsetCardProps {
  readonly imagery: Imagery;
  /** Samples of the set. */
  readonly count: number;
}

const STEPS = [["left", "west", -1, 0], ["up", "north", 0, -1], ["down", "south", 0, 1], ["right", "east", 1, 0]] as const;

export function OffsetCard({ imagery, count }: OffsetCardProps): JSX.Element | null {
  const { draft } = useImagery(imagery);
  // Another imagery's draft begins with its own words.
  return draft && <Trying key={draft.imagery} imagery={imagery} count={count} draft={draft} />;
}

function Trying({ imagery, count, draft }: OffsetCardProps & { draft: Draft }): JSX.Element {
  const kept = imagery.offsetOf(draft.imagery);
  const [note, setNote] = useState(kept.note);
  const [samples, setSamples] = useState<Along | null>(null);
  const [busy, setBusy] = useState(false);
  const moved = draft.east_m !== kept.east_m || draft.north_m !== kept.north_m;
  const asks = count > 0 && draft.imagery === imagery.own.id && moved;
  const keep = async (): Promise<void> => {
    setBusy(true);
    await imagery.keepDraft(note.trim(), asks && samples ? samples : "stay");
    setBusy(false);
  };
  return (
    <form class="label-offset" aria-label="Offset of the imagery" onSubmit={(event) => { event.preventDefault(); void keep(); }}>
      <div class="label-offset-head">
        <strong>{saidOf(draft) || "Where its file says"}</strong>
        <span class="muted small-text">seen by you alone until you keep it</span>
      </div>
      <div class="label-offset-move">
        <div class="label-offset-pad" role="group" aria-label="Move the imagery by a pixel">
          {STEPS.map(([icon, where, x, y]) => <IconButton key={where} icon={icon} label={`To the ${where} (Ctrl arrow)`} onClick={() => imagery.nudge(x, y)} />)}
        </div>
        <NumberInput label="East (m)" value={draft.east_m} min={-MOST_M} max={MOST_M} onChange={(east_m) => east_m !== null && imagery.setDraft({ east_m })} />
        <NumberInput label="North (m)" value={draft.north_m} min={-MOST_M} max={MOST_M} onChange={(north_m) => north_m !== null && imagery.setDraft({ north_m })} />
      </div>
      <TextInput label="Note" value={note} onChange={setNote} maxLength={200} placeholder="How it was found: against the cadastre" />
      {asks && (
        <fieldset class="label-offset-ask">
          <legend>{plural(count, "sample")} {count === 1 ? "is" : "are"} here already</legend>
          <label><input type="radio" name="along" checked={samples === "move"} onChange={() => setSamples("move")} /> Drawn on this imagery: move {count === 1 ? "it" : "them"} along</label>
          <label><input type="radio" name="along" checked={samples === "stay"} onChange={() => setSamples("stay")} /> Right on Earth: leave {count === 1 ? "it" : "them"}, and bring the imagery there</label>
        </fieldset>
      )}
      <div class="row">
        <Button small onClick={() => imagery.setDraft({ east_m: 0, north_m: 0 })} disabled={draft.east_m === 0 && draft.north_m === 0}>No offset</Button>
        <span class="spacer" />
        <Button small onClick={() => imagery.dropDraft()}>Drop</Button>
        <Button small kind="primary" type="submit" busy={busy} disabled={(!moved && note.trim() === kept.note) || (asks && samples === null)}>Keep for all</Button>
      </div>
    </form>
  );
}
