// Conflicts, beside the map, so that both versions are seen on it.

import type { JSX } from "preact";
import { Button } from "../ui/components";
import type { App, View } from "./app";
import { MINE, THEIRS } from "./map-view";
import { Swatch } from "./swatch";
import type { Conflict } from "./types";

function nameOf(view: View, value: number | null | undefined): string {
  return view.doc.classes.find((one) => one.value === value)?.name ?? "no class";
}

function story({ mine, theirs, fields }: Conflict, view: View): string {
  const who = theirs?.updatedBy ?? "Somebody";
  if (!theirs) return "Somebody deleted this sample while you changed it.";
  if (!mine) return `${who} changed this sample while you deleted it.`;
  if (fields.includes("geometry")) return `${who} changed the shape of this sample while you changed it too.`;
  if (fields.includes("class")) return `${who} made this sample ${nameOf(view, theirs.classValue)} while you made it ${nameOf(view, mine.classValue)}.`;
  return `${who} changed the same property of this sample.`;
}

/** The first open conflict. Not modal: both versions are on the map, which can be moved and zoomed. */
export function ConflictCard({ app, view }: { app: App; view: View }): JSX.Element | null {
  const [conflict] = view.doc.conflicts;
  if (!conflict) return null;
  const { mine, theirs, opId, fields } = conflict;
  const together = view.doc.pending.some((operation) => operation.opId === opId && operation.group !== undefined);
  const shapes = mine && theirs && fields.includes("geometry");
  return (
    <div class="label-card" role="dialog" aria-labelledby="conflict-title" aria-describedby="conflict-story">
      <h2 id="conflict-title">
        Two versions of one sample
        {view.doc.conflicts.length > 1 && <span class="badge">{`1 of ${view.doc.conflicts.length}`}</span>}
      </h2>
      <p id="conflict-story">{story(conflict, view)} Nothing is lost: choose what should stay.{together && " It is part of a step that changed other samples too: keeping theirs takes all of it back."}</p>
      {shapes && (
        <p class="row small-text">
          <span class="row"><Swatch colour={MINE} /> yours, dashed</span>
          <span class="row"><Swatch colour={THEIRS} /> theirs</span>
        </p>
      )}
      <div class="actions">
        <Button onClick={() => app.show(conflict.id, theirs)}>Zoom to it</Button>
        <span class="spacer" />
        <Button onClick={() => app.resolve(opId, "theirs")}>{theirs ? "Keep theirs" : "Leave it deleted"}</Button>
        {shapes && <Button onClick={() => app.resolve(opId, "both")}>Keep both</Button>}
        <Button kind="primary" onClick={() => app.resolve(opId, "mine")}>{mine ? (theirs ? "Keep mine" : "Draw mine anew") : "Delete it"}</Button>
      </div>
    </div>
  );
}
