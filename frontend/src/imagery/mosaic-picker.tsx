// The dialog that adds scenes of the project to a mosaic's list.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { get } from "../ui/api";
import { Button, Checkbox, Dialog, EmptyState, ErrorNote, Spinner, TextInput } from "../ui/components";
import { plural } from "../ui/format";
import type { Scene } from "./mosaic";
import { sceneFacts } from "./mosaic-scenes";

interface Answer {
  results: Scene[];
  next: string | null;
}

const TYPING_MS = 250;

/** Choose scenes; those that the list has already are not offered. */
export function ScenePicker(props: {
  project: string;
  taken: readonly Scene[];
  onClose: () => void;
  onAdd: (scenes: Scene[]) => void;
}): JSX.Element {
  const [query, setQuery] = useState("");
  const [answer, setAnswer] = useState<Answer | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [chosen, setChosen] = useState<ReadonlyMap<string, Scene>>(new Map());
  useEffect(() => {
    const stop = new AbortController();
    const words = new URLSearchParams({ project: props.project, kind: "scene", q: query.trim() });
    const wait = setTimeout(() => {
      get<Answer>(`/api/imagery/?${words}`, { signal: stop.signal }).then(setAnswer, (failure: unknown) => {
        if (!stop.signal.aborted) setError(failure);
      });
    }, query === "" ? 0 : TYPING_MS);
    return () => {
      clearTimeout(wait);
      stop.abort();
    };
  }, [props.project, query]);
  const more = async (): Promise<void> => {
    if (answer?.next == null) return;
    try {
      const next = await get<Answer>(answer.next);
      setAnswer({ results: [...answer.results, ...next.results], next: next.next });
    } catch (failure) {
      setError(failure);
    }
  };
  const taken = new Set(props.taken.map((scene) => scene.id));
  const offered = answer?.results.filter((scene) => !taken.has(scene.id)) ?? [];
  const choose = (scenes: readonly Scene[], wanted: boolean): void => {
    const next = new Map(chosen);
    for (const scene of scenes) {
      if (wanted) next.set(scene.id, scene);
      else next.delete(scene.id);
    }
    setChosen(next);
  };
  const all = offered.length > 0 && offered.every((scene) => chosen.has(scene.id));
  return (
    <Dialog
      title="Add scenes"
      wide
      onClose={props.onClose}
      onSubmit={() => {
        if (chosen.size > 0) props.onAdd([...chosen.values()]);
      }}
      actions={
        <>
          <Button onClick={props.onClose}>Cancel</Button>
          <Button kind="primary" type="submit" disabled={chosen.size === 0}>
            {chosen.size === 0 ? "Add scenes" : `Add ${plural(chosen.size, "scene")}`}
          </Button>
        </>
      }
    >
      <div class="stack">
        <TextInput label="Search by name" type="search" value={query} onChange={setQuery} autofocus />
        {error !== null && <ErrorNote error={error} />}
        {answer === null && error === null && <Spinner />}
        {answer !== null && offered.length === 0 && answer.next === null && (
          <EmptyState title={query === "" ? "No more scenes in this project" : `No scene “${query}”`}>
            {query === "" ? "Upload imagery to the project first; class rasters and other mosaics are not put together." : "Try another name."}
          </EmptyState>
        )}
        {offered.length > 0 && (
          <>
            <Checkbox label={`All ${offered.length} shown`} checked={all} onChange={(wanted) => choose(offered, wanted)} />
            <ul class="scene-list scene-choice" aria-label="Scenes of the project">
              {offered.map((scene) => (
                <li key={scene.id} class="scene-row">
                  <Checkbox
                    checked={chosen.has(scene.id)}
                    onChange={(wanted) => choose([scene], wanted)}
                    label={
                      <span class="scene-name">
                        <span class="break-anywhere">{scene.name}</span>
                        <span class="muted small-text">{sceneFacts(scene)}</span>
                      </span>
                    }
                  />
                </li>
              ))}
            </ul>
          </>
        )}
        {answer?.next != null && (
          <p>
            <Button small onClick={() => void more()}>
              Show more
            </Button>
          </p>
        )}
      </div>
    </Dialog>
  );
}
