// The strip above the map (how saving stands, who is here, undo) and what to do next.

import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { Button, Icon, IconButton, Menu, Spinner } from "../ui/components";
import type { IconName } from "../ui/components";
import { number, plural } from "../ui/format";
import type { App, SaveState, View } from "./app";
import { personColour } from "./people";
import { SKETCHES } from "./sketches";
import type { Tools } from "./tools";

const OFFLINE_MS = 2000;

interface Saying {
  readonly tone: string;
  readonly icon: IconName;
  readonly text: string;
  readonly title: string;
}

function saying(state: SaveState, view: View): Saying {
  const waiting = view.doc.pending.length;
  switch (state) {
    case "saved":
      return { tone: "ok", icon: "check", text: "Saved", title: "Everything you drew is stored on the server." };
    case "memory":
      return { tone: "ok", icon: "check", text: "Saved", title: "Everything is stored on the server. This browser keeps nothing on disk: stay on the page while it saves." };
    case "saving":
      return { tone: "accent", icon: "refresh", text: `Saving ${number(waiting)}`, title: `${plural(waiting, "change")} on the way to the server.` };
    case "offline":
      return {
        tone: "warn", icon: "warn", text: waiting ? `Offline · ${number(waiting)} waiting` : "Offline",
        title: "No connection. What you draw is kept in this browser, also when you close the page, and saved when the connection is back.",
      };
    case "conflict":
      return { tone: "bad", icon: "warn", text: plural(view.doc.conflicts.length, "conflict"), title: "Somebody changed the same sample. Choose what should stay." };
    case "problem":
      return { tone: "bad", icon: "warn", text: `${number(view.doc.problems.length)} not saved`, title: "The server did not take some changes. See below the map." };
    case "refused":
      return {
        tone: "bad", icon: "warn", text: waiting ? `Not signed in · ${number(waiting)} waiting` : "Not signed in",
        title: "The server does not let you in any more. What you drew is kept in this browser: sign in again and reload.",
      };
  }
}

/** How saving stands, in one word. */
export function SaveChip({ app, view }: { app: App; view: View }): JSX.Element {
  const state = app.saveState();
  const { tone, icon, text, title } = saying(state, view);
  // Said once, where there is no pointer that could rest on the word. A moment without a connection is none.
  useEffect(() => {
    if (state !== "offline" || !app.mayEdit) return undefined;
    const lasting = setTimeout(() => app.tell(title), OFFLINE_MS);
    return () => clearTimeout(lasting);
  }, [app, state, title]);
  return (
    <span class={`badge label-save ${tone}`} role="status" title={title} data-state={state} data-pending={view.doc.pending.length} data-seq={view.doc.seq}>
      <Icon name={icon} />
      {text}
    </span>
  );
}

function initials(name: string): string {
  return name.split(/\s+/).map((word) => word.charAt(0)).join("").slice(0, 2).toUpperCase();
}

/** Who else has the label set open. */
function Members({ view, me }: { view: View; me: string }): JSX.Element | null {
  const others = view.members.filter(({ id }) => id !== me);
  if (!others.length) return null;
  return (
    <ul class="label-members" aria-label="Also here">
      {others.slice(0, 5).map(({ id, name, editing }) => (
        <li key={id} title={editing?.length ? `${name} is editing` : name} ref={(element) => element?.style.setProperty("--person", personColour(id))}>
          <span aria-hidden="true">{initials(name)}</span>
          <span class="visually-hidden">{name}</span>
        </li>
      ))}
      {others.length > 5 && <li class="more">+{others.length - 5}</li>}
    </ul>
  );
}

export interface TopBarProps {
  readonly app: App;
  readonly view: View;
  readonly me: string;
  readonly trainingUrl: string;
  /** Absent for those who may not. */
  readonly onDelete: (() => void) | undefined;
}

export function TopBar({ app, view, me, trainingUrl, onDelete }: TopBarProps): JSX.Element {
  const last = view.history.undo.at(-1)?.label;
  const next = view.history.redo.at(-1)?.label;
  return (
    <div class="label-bar">
      <SaveChip app={app} view={view} />
      <Members view={view} me={me} />
      <span class="spacer" />
      {app.mayEdit && (
        <>
          <IconButton label={last ? `Undo: ${last} (Ctrl Z)` : "Undo (Ctrl Z)"} icon="undo" disabled={!last} onClick={() => app.undo()} />
          <IconButton label={next ? `Redo: ${next} (Ctrl Shift Z)` : "Redo (Ctrl Shift Z)"} icon="redo" disabled={!next} onClick={() => app.redo()} />
        </>
      )}
      <Menu
        label="Import and export"
        end
        items={[
          ...(app.mayEdit ? [{ label: "Import samples…", icon: "upload" as const, onSelect: () => app.set({ open: "import" }) }] : []),
          { label: "Export samples…", icon: "download", onSelect: () => app.set({ open: "export" }) },
          { label: "Samples manager", icon: "data", onSelect: () => window.location.assign("samples/") },
          // On a narrow page this is its only place.
          ...(app.mayEdit ? [{ label: "Export training data", icon: "data" as const, onSelect: () => window.location.assign(trainingUrl) }] : []),
          ...(onDelete ? [{ label: "Delete label set…", icon: "trash" as const, danger: true, onSelect: onDelete }] : []),
        ]}
      />
      {app.mayEdit && (
        <span class="label-train">
          <Button small href={trainingUrl}>Export training data</Button>
        </span>
      )}
      <button class="icon-button label-help" type="button" aria-label="Keys (?)" title="Keys (?)" onClick={() => app.set({ open: "help" })}>
        <span aria-hidden="true">?</span>
      </button>
      <IconButton label={view.panel ? "Fold the panel (M)" : "Unfold the panel (M)"} icon="layers" pressed={view.panel} onClick={() => app.set({ panel: !view.panel })} />
    </div>
  );
}

/** What to do now, with buttons for fingers. */
export function Hint({ app, view, tools }: { app: App; view: View; tools: Tools }): JSX.Element | null {
  const { draft } = tools;
  if (view.tool === "select") return null;
  const facts = SKETCHES[view.tool];
  const count = draft?.kind === "sketch" ? draft.points.length : 0;
  if (view.finding) return <div class="label-hint"><Spinner label="Finding the outline" /> Finding the outline</div>;
  if (view.tool === "segments") return <SegmentsHint app={app} view={view} />;
  if (!count) return <div class="label-hint">{facts.begin}</div>;
  if (facts.way !== "clicks") return facts.next ? <div class="label-hint">{facts.next}</div> : null;
  return (
    <div class="label-hint">
      <span>{count < facts.least ? "Click the next corner" : facts.next}</span>
      <Button small onClick={() => tools.back()}>Take back</Button>
      {facts.most === undefined && (
        <Button small kind="primary" disabled={count < facts.least} onClick={() => tools.finish()}>{facts.closed ? "Close" : "Finish"}</Button>
      )}
    </div>
  );
}

function SegmentsHint({ app, view }: { app: App; view: View }): JSX.Element {
  const { chosen, loading, problem, sizeM } = view.segments;
  const size = sizeM === null ? "" : ` (about ${number(Number(sizeM.toPrecision(2)))} m)`;
  return (
    <div class="label-hint" data-loading={loading} data-chosen={chosen}>
      {loading && <Spinner label="Looking for segments" />}
      {problem || (chosen ? plural(chosen, "segment") : SKETCHES.segments.begin.replace("segments", `segments${size}`))}
      {chosen > 0 && (
        <>
          <Button small onClick={() => app.drawing?.segments.back()}>Take back</Button>
          <Button small kind="primary" onClick={() => app.drawing?.takeSegments()}>Make a sample</Button>
        </>
      )}
    </div>
  );
}
