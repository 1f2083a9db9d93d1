// The time slider: of imagery with a date, only the chosen moment's is shown.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Button, IconButton } from "../ui/components";
import type { Look } from "./state";
import { savedLook } from "./state";
import type { LayerRow } from "./types";

const STEP_MS = 1600;

function momentOf(row: LayerRow): string | null {
  return row.kind === "features" ? null : row.imagery.acquired_at;
}

/** The moments of a map's imagery, the earliest first. */
export function momentsOf(rows: readonly LayerRow[]): string[] {
  const found = rows.flatMap((row) => momentOf(row) ?? []);
  return [...new Set(found)].sort((a, b) => Date.parse(a) - Date.parse(b));
}

/** The look at a moment: imagery of other moments is hidden; null leaves all. Dated imagery is shown at its own moment even where it was switched off. */
export function lookAt(rows: readonly LayerRow[], look: Look, moment: string | null): Look {
  if (moment === null) return look;
  const at = Date.parse(moment);
  return new Map(
    rows.map((row) => {
      const shown = look.get(row.id) ?? savedLook(row);
      const own = momentOf(row);
      return [row.id, own === null ? shown : { ...shown, visible: Date.parse(own) === at }];
    }),
  );
}

function dated(moment: string): string {
  return new Date(moment).toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
}

/** The bar at the foot of the map. */
export function TimeBar(props: { moments: readonly string[]; moment: string | null; onChange: (moment: string | null) => void; onClose: () => void }): JSX.Element {
  const { moments, moment, onChange } = props;
  const [playing, setPlaying] = useState(false);
  const index = Math.max(0, moments.findIndex((other) => moment !== null && Date.parse(other) === Date.parse(moment)));
  useEffect(() => {
    if (!playing) return undefined;
    const timer = setTimeout(() => onChange(moments[(index + 1) % moments.length] ?? null), STEP_MS);
    return () => clearTimeout(timer);
  }, [playing, index, moments, onChange]);
  const said = dated(moments[index] ?? "");
  return (
    <section class="time-bar" aria-label="Time">
      <IconButton label={playing ? "Stop" : "Play"} icon={playing ? "stop" : "play"} small pressed={playing} onClick={() => setPlaying(!playing)} />
      <input
        type="range"
        min={0}
        max={moments.length - 1}
        step={1}
        value={index}
        aria-label="Moment of the imagery"
        aria-valuetext={said}
        onInput={(event) => onChange(moments[event.currentTarget.valueAsNumber] ?? null)}
      />
      <output class="numeric small-text">
        {said} <span class="muted">({index + 1} of {moments.length})</span>
      </output>
      <Button
        small
        onClick={() => {
          setPlaying(false);
          props.onClose();
        }}
      >
        All times
      </Button>
    </section>
  );
}
