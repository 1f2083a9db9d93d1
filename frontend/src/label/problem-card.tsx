// Changes that the server did not take: which, why, and what becomes of them. Nothing goes without being told to.

import type { JSX } from "preact";
import { Button, Icon } from "../ui/components";
import { plural } from "../ui/format";
import { saveFile } from "../ui/save-file";
import type { App, View } from "./app";
import { folded } from "./store";
import type { Action, Operation, Problem, Sample } from "./types";

/** What the card knows of the page. */
type Seen = Pick<View, "doc" | "aside">;
/** What it asks of it. */
type Asked = Pick<App, "set" | "show" | "discard" | "retry">;

const WHAT: Readonly<Record<Action, string>> = { create: "New sample", update: "Changed sample", delete: "Deleted sample" };

/** Which change it is, in words. */
export function whatOf(operation: Operation | undefined, view: Seen): string {
  if (!operation) return "Change";
  const value = view.doc.view.get(operation.id)?.classValue ?? operation.base?.classValue;
  const name = view.doc.classes.find((one) => one.value === value)?.name;
  return name === undefined ? WHAT[operation.action] : `${WHAT[operation.action]}, ${name}`;
}

/** The samples of changes that were not taken, as this person drew them; deletions have none. */
export function unsavedOf({ doc }: Seen): GeoJSON.FeatureCollection {
  const samples = [...new Set(doc.problems.map(({ id }) => id))].flatMap((id): Sample[] => {
    const mine = doc.pending.filter((operation) => operation.id === id);
    const sample = folded(doc.server.get(id) ?? null, mine);
    return sample ? [sample] : [];
  });
  return {
    type: "FeatureCollection",
    features: samples.map(({ geometry, classValue, properties }) => ({
      type: "Feature", geometry, properties: { ...properties, ...(classValue === null ? {} : { class_value: classValue }) },
    })),
  };
}

/** Those that are not put aside. */
export function openProblems({ doc, aside }: Seen): readonly Problem[] {
  return doc.problems.filter(({ opId }) => !aside.has(opId));
}

/** The first change that the server did not take; a line of its own where all are put aside. */
export function ProblemCard({ app, view }: { app: Asked; view: Seen }): JSX.Element | null {
  const { problems, conflicts, pending } = view.doc;
  if (!problems.length || conflicts.length) return null;
  const [problem] = openProblems(view);
  if (!problem) {
    return (
      <div class="label-aside" role="status">
        <Icon name="warn" />
        <span>{plural(problems.length, "change")} not saved, kept in this browser</span>
        <Button kind="quiet" onClick={() => app.set({ aside: new Set() })}>Show</Button>
      </div>
    );
  }
  const operation = pending.find(({ opId }) => opId === problem.opId);
  const unsaved = unsavedOf(view);
  const many = problems.length > 1;
  return (
    <div class="label-card wide" role="dialog" aria-labelledby="problem-title" aria-describedby="problem-story problem-kept">
      <h2 id="problem-title">
        A change could not be saved
        {many && <span class="badge">{`1 of ${problems.length}`}</span>}
      </h2>
      <p id="problem-story"><strong>{whatOf(operation, view)}.</strong> {problem.message}</p>
      <p id="problem-kept" class="muted small-text">
        It stays in this browser until it is saved or dropped; {problem.code === "denied" ? "what else you change waits with it." : "everything else is saved meanwhile."}
        {operation?.group !== undefined && " It is part of a step that changed other samples too: dropping it takes all of the step back."}
      </p>
      <div class="actions">
        {view.doc.view.has(problem.id) && <Button onClick={() => app.show(problem.id)}>Zoom to it</Button>}
        {unsaved.features.length > 0 && (
          <Button onClick={() => saveFile(new Blob([JSON.stringify(unsaved)], { type: "application/geo+json" }), "not-saved.geojson")}>
            Save as file
          </Button>
        )}
        <Button onClick={() => app.set({ aside: new Set(problems.map(({ opId }) => opId)) })}>Later</Button>
        <span class="spacer" />
        <Button kind="danger" onClick={() => app.discard(problem.opId)}>Drop the change</Button>
        <Button kind="primary" onClick={() => app.retry()}>{many ? "Try all again" : "Try again"}</Button>
      </div>
    </div>
  );
}
