// The labeling page put together: map, bars, panel, dialogs.

import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { ExportDialog } from "../files/export-dialog";
import { ImportDialog } from "../files/import-dialog";
import { SuggestDialog } from "../files/suggest-dialog";
import { del } from "../ui/api";
import { Icon, Spinner } from "../ui/components";
import { DeleteDialog } from "../ui/delete-dialog";
import type { App } from "./app";
import { Hint, TopBar } from "./bars";
import { useBasemap } from "./basemap";
import type { Basemaps } from "./basemap";
import { answering, bound, storeBindings, storedBindings } from "./bindings";
import type { Bindings } from "./bindings";
import { ConflictCard } from "./dialogs";
import type { EditorPort } from "./editor";
import { useView } from "./hooks";
import { Badges, Divider } from "./imagery/badges";
import { CopyDialog } from "./imagery/copy-dialog";
import type { Copying } from "./imagery/copying";
import { OffsetCard } from "./imagery/offset-card";
import type { ImageryFacts } from "./imagery/panel";
import type { Imagery } from "./imagery/state";
import { KeyList } from "./key-list";
import { listenToKeys } from "./keys";
import { openMap } from "./map-view";
import type { MapView } from "./map-view";
import { pageKeys } from "./page-keys";
import { Panel } from "./panels";
import { ProblemCard } from "./problem-card";
import { CommentDialog, MustRead } from "./review/comment-list";
import type { Comments } from "./review/comments";
import { useReview } from "./review/hooks";
import { reviewKeys } from "./review/keys";
import type { Review } from "./review/review";
import { roleSaid } from "./rights";
import { SchemaDialog } from "./schema-dialog";
import { SelectionBar, Toolbar } from "./toolbar";
import { TaskDialogs, TaskHint } from "./tasks/dialogs";
import { taskKeys } from "./tasks/keys";
import type { Tasks } from "./tasks/tasks";

/** As in the style sheet: from here on the panel lies over the map. */
const NARROW_PX = 900;

export interface PageProps {
  readonly app: App;
  readonly editor: EditorPort;
  readonly imagery: Imagery;
  readonly copying: Copying;
  readonly facts: ImageryFacts;
  readonly basemaps: Basemaps;
  readonly layerUrl: string;
  readonly trainingUrl: string;
  readonly me: string;
  readonly labelSet: { readonly id: string; readonly name: string; readonly project: string };
  readonly tasks: Tasks;
  readonly review: Review;
  readonly comments: Comments;
  readonly onMap: (map: MapView) => () => void;
}

export function Page({ app, editor, imagery, copying, facts, basemaps, layerUrl, trainingUrl, me, labelSet, tasks, review, comments, onMap }: PageProps): JSX.Element {
  const view = useView(app);
  const place = useRef<HTMLDivElement>(null);
  const [map, setMap] = useState<MapView | null>(null);
  const [deleting, setDeleting] = useState(false);
  const [bindings, setBindings] = useState(() => storedBindings(localStorage));
  const table = useMemo(() => (map ? [...reviewKeys(review, comments), ...pageKeys(app, map, editor, imagery, copying), ...taskKeys(tasks)] : []), [app, map, editor, imagery, copying, tasks, review, comments]);
  const keys = useMemo(() => bound(table, bindings), [table, bindings]);
  const { running: reviewing } = useReview(review);
  // What buttons say: a key that means something else for now is not theirs.
  const said = useMemo(() => answering(keys, reviewing), [keys, reviewing]);
  const rebind = (next: Bindings): void => {
    setBindings(next);
    storeBindings(localStorage, next);
  };

  useEffect(() => {
    if (!place.current) return undefined;
    const opened = openMap(place.current, app, editor, imagery, () => panning.down);
    const ended = onMap(opened);
    setMap(opened);
    return () => {
      ended();
      opened.stop();
    };
  }, [app, editor, imagery, onMap]);
  useEffect(() => (map ? listenToKeys(keys, document) : undefined), [keys, map]);
  useEffect(() => listenToPanning(), []);
  useEffect(() => listenToRelease(imagery), [imagery]);

  const basemap = useBasemap(map, basemaps);

  const close = (): void => app.set({ open: "none" });
  return (
    <div class={view.panel ? "label-page" : "label-page panel-folded"}>
      <TopBar app={app} view={view} me={me} trainingUrl={trainingUrl} onDelete={view.rights.manage ? () => setDeleting(true) : undefined} />
      <div class="label-stage">
        <div class="label-map" ref={place} role="application" aria-label="Map with samples. Press question mark for the keys." tabIndex={0} data-loading={view.loading} />
        <Toolbar app={app} view={view} keys={said} onFitAll={() => imagery.own.bounds && map?.fit(imagery.own.bounds)} />
        <div class="label-top">
          {view.loading && <div class="label-hint"><Spinner label="Loading samples" /> Loading samples</div>}
          {view.lowered && <div class="label-hint" role="status"><Icon name="warn" /> {roleSaid(view.rights)}</div>}
          {view.doc.truncated && <div class="label-hint">Too many samples in view to edit them. Zoom in.</div>}
          {!(view.panel && view.tab === "tasks") && <TaskHint tasks={tasks} onOpen={() => app.set({ tab: "tasks", panel: true })} />}
          {map && <Hint app={app} view={view} tools={map.tools} />}
        </div>
        <Divider imagery={imagery} />
        <Badges imagery={imagery} positionAssumed={facts.position_assumed ? facts.position_note : null} onOpen={() => app.set({ tab: "imagery", panel: true })} />
        <div class="label-bottom">
          <OffsetCard imagery={imagery} count={view.totals ? [...view.totals.values()].reduce((sum, { count }) => sum + count, 0) : view.doc.view.size} />
          <ConflictCard app={app} view={view} />
          <ProblemCard app={app} view={view} />
          <MustRead comments={comments} />
          <SelectionBar app={app} view={view} keys={said} />
        </div>
      </div>
      <Panel app={app} view={view} imagery={{ imagery, facts, copying, basemap, maySave: app.mayEdit, inView: () => map?.shownBounds() ?? null, onTry: () => window.innerWidth < NARROW_PX && app.set({ panel: false }) }} tasks={tasks} layerUrl={layerUrl} mayRestore={view.rights.manage} review={review} comments={comments} keys={said} />
      <CommentDialog comments={comments} />
      <CopyDialog copying={copying} />
      <TaskDialogs tasks={tasks} />
      {view.open === "help" && <KeyList table={table} keys={keys} reviewing={reviewing} bindings={bindings} onChange={rebind} onClose={close} />}
      {view.open === "schema" && (
        <SchemaDialog classes={view.doc.classes} url={`${layerUrl}classes`} onClose={close} onSaved={(classes) => app.setClasses(classes)} />
      )}
      {deleting && (
        <DeleteDialog
          what="label set"
          name={labelSet.name}
          consequencesUrl={`/api/label-sets/${labelSet.id}/deletion`}
          onClose={() => setDeleting(false)}
          onDelete={async () => {
            await del(`/api/label-sets/${labelSet.id}/`);
            window.location.assign(`/?project=${labelSet.project}`);
          }}
        />
      )}
      {view.open === "import" && (
        <ImportDialog classes={view.doc.classes} importsUrl={`/api/label-sets/${labelSet.id}/imports`} layerUrl={layerUrl} imagery={imagery.own.bounds} onClose={close} />
      )}
      {view.open === "suggest" && (
        <SuggestDialog
          from={{ labelSet: labelSet.id }}
          onClose={() => {
            close();
            void review.look();
          }}
          onReview={() => {
            app.set({ open: "none", tab: "review", panel: true });
            review.want({ what: "suggested", order: "high" });
            void review.start();
          }}
        />
      )}
      {view.open === "export" && (
        <ExportDialog name={labelSet.name} classes={view.doc.classes} exportsUrl={`/api/label-sets/${labelSet.id}/exports`} hasPixels onClose={close} />
      )}
    </div>
  );
}

/** Whatever key held the other date up: letting any go lets it down. */
function listenToRelease(imagery: Imagery): () => void {
  const stop = new AbortController();
  const release = (): void => void imagery.flick(false);
  document.addEventListener("keyup", release, { signal: stop.signal });
  window.addEventListener("blur", release, { signal: stop.signal });
  return () => stop.abort();
}

/** The space bar is held: drags pan the map whatever the tool. */
const panning = { down: false };

function listenToPanning(): () => void {
  const stop = new AbortController();
  document.addEventListener("keydown", (event) => {
    if (event.key === " " && event.target instanceof HTMLElement && !event.target.closest("button, input, select, textarea, a")) panning.down = true;
  }, { signal: stop.signal, capture: true });
  document.addEventListener("keyup", (event) => {
    if (event.key === " ") panning.down = false;
  }, { signal: stop.signal, capture: true });
  window.addEventListener("blur", () => (panning.down = false), { signal: stop.signal });
  return () => stop.abort();
}
