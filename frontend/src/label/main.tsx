// Wires the labeling page.

import { render } from "preact";
import { readConfig } from "../ui/config";
import { toast } from "../ui/components";
import { openLive } from "../ui/live";
import { toLatLngBounds } from "../ui/map";
import type { VectorInfo } from "../ui/map";
import { App } from "./app";
import { arrivalOf } from "./arrival";
import type { Basemaps } from "./basemap";
import { Drawing } from "./drawing";
import { VertexEditor } from "./editor";
import { boxBetween, fromWorld } from "./geometry";
import type { Bounds } from "./geometry";
import { choiceFrom, FIRST } from "./imagery/choice";
import { Copying } from "./imagery/copying";
import type { Offset } from "./imagery/offset";
import type { ImageryFacts } from "./imagery/panel";
import { copyRest, imageryRest } from "./imagery/rest";
import type { Scene } from "./imagery/rest";
import { Imagery } from "./imagery/state";
import type { MapView } from "./map-view";
import { Page } from "./page";
import "./page.css";
import { mergedSayer } from "./merged";
import { openQueue } from "./queue";
import type { Queue } from "./queue";
import { assistOf, restOf, totalsOf } from "./rest";
import { Sync } from "./sync";
import { Comments } from "./review/comments";
import { onCommentMap } from "./review/pins";
import { reviewRest } from "./review/rest";
import { Review } from "./review/review";
import "./review/review.css";
import { onSegments } from "./segments/on-map";
import { segmentRest } from "./segments/rest";
import { Segments } from "./segments/segments";
import type { LabelClass, Operation } from "./types";
import { onTaskMap } from "./tasks/on-map";
import { TAKEN, taskRest } from "./tasks/rest";
import { Tasks } from "./tasks/tasks";
import "./tasks/tasks.css";
import { restored, stored } from "./undo";
import type { ServerMessage } from "./wire";

interface Config {
  readonly label_set: {
    readonly id: string;
    readonly name: string;
    readonly project: string;
    readonly role: string;
    readonly sheet_of: string | null;
    readonly copied_from: { readonly name: string; readonly url: string } | null;
    readonly imagery: Scene & ImageryFacts;
    readonly offsets: readonly Offset[];
    readonly layer: VectorInfo & { readonly url: string; readonly count: number; readonly bounds: Bounds | null; readonly classes: readonly LabelClass[] };
  };
  readonly user: { readonly id: number; readonly name: string };
  readonly basemaps: Basemaps;
}

/** Above so many samples only those in view are loaded. */
const LARGE = 10_000;
const SETTLE_MS = 250;
const COUNT_MS = 2000;
const WIDE_PX = 900;
/** Length of the equator in Web Mercator. */
const EARTH_M = 40_075_016.686;

/** Where the browser keeps nothing on disk (a private window): in memory, and the page says so. */
function memoryQueue(): Queue {
  const rows = new Map<string, Operation>();
  return {
    load: () => Promise.resolve([]),
    add: (operations) => Promise.resolve(operations.forEach((one) => rows.set(one.opId, one))),
    remove: (opIds) => Promise.resolve(opIds.forEach((opId) => rows.delete(opId))),
    stop: () => rows.clear(),
  };
}

/** The size of a pixel of the imagery in world units, at its middle. */
function pixelOf({ gsd_m, bounds }: Scene): number {
  const latitude = bounds ? (bounds[1] + bounds[3]) / 2 : 0;
  return gsd_m / (EARTH_M * Math.cos((latitude * Math.PI) / 180));
}

/** Bounds as a polygon. */
const boxOf = ([west, south, east, north]: Bounds): GeoJSON.Polygon => boxBetween([west, south], [east, north]);

async function start(): Promise<void> {
  const root = document.getElementById("root");
  if (!root) throw new Error("The page has no #root.");
  const { label_set: labelSet, user, basemaps } = readConfig<Config>();
  const { layer, imagery } = labelSet;
  const [queue, durable] = await openQueue(String(user.id), layer.id).then(
    (opened): [Queue, boolean] => [opened, true],
    (): [Queue, boolean] => [memoryQueue(), false],
  );
  const editor = new VertexEditor();
  const historyKey = `quadrat-undo ${user.id} ${layer.id}`;
  const app = new App({
    me: String(user.id),
    role: labelSet.role,
    classes: layer.classes,
    wide: window.innerWidth >= WIDE_PX,
    editor,
    say: toast,
    durable,
    history: restored(sessionStorage.getItem(historyKey)),
  });
  // From the label set to a sheet, or back: what is said of the task stands beside the map.
  if (location.search === TAKEN) app.set({ tab: "tasks" });
  window.addEventListener("pagehide", () => {
    // Too much for the storage (many large shapes): the work itself is safe, only undo begins anew.
    try {
      sessionStorage.setItem(historyKey, stored(app.view.history));
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      sessionStorage.removeItem(historyKey);
    }
  });
  let large = layer.count > LARGE;

  let shown: MapView | null = null;
  const tasks = new Tasks({
    rest: taskRest(labelSet.id, labelSet.project, (url) => location.assign(url)),
    sheetOf: labelSet.sheet_of,
    me: app.me,
    // Asked each time: a role may change while the page is open.
    get mayLabel() { return app.view.rights.label; },
    get mayReview() { return app.view.rights.review; },
    say: toast,
    // A task fills the map; without animation, so that one can draw at once.
    fit: (bounds) => shown?.map.fitBounds(toLatLngBounds(bounds), { animate: false, padding: [32, 32], maxZoom: Math.min(imagery.max_zoom + 2, 24) }),
    place: () => fromWorld(shown?.centre() ?? [0.5, 0.5]),
    viewArea: () => shown && boxOf(shown.bounds()),
    lease: (lease, unread) => {
      app.lease = lease;
      if (app.noteUnread === unread) return;
      app.noteUnread = unread;
      if (unread) app.set({ tool: "select", tab: "tasks", panel: true });
      else app.touch();
    },
    settled: () => app.settled(),
    now: () => Date.now(),
  });
  const choiceKey = (id: string): string => `quadrat-imagery ${user.id} ${id}`;
  const imageryKey = choiceKey(labelSet.id);
  const shownImagery = new Imagery({
    own: imagery,
    offsets: labelSet.offsets,
    choice: choiceFrom(localStorage.getItem(imageryKey)),
    get mayOffset() { return app.view.rights.review; },
    rest: imageryRest(labelSet.id, labelSet.project),
    store: (choice) => localStorage.setItem(imageryKey, JSON.stringify(choice)),
    say: toast,
  });
  shownImagery.start();
  const copying = new Copying({
    get mayCopy() { return app.view.rights.label && labelSet.sheet_of === null; },
    from: labelSet.copied_from,
    imagery: shownImagery,
    app,
    inView: () => (shown?.inView() ?? []).map(({ id }) => id),
    send: copyRest(labelSet.id),
    onCopied: ({ label_set: other }) => {
      // There this date is the other one, so that both can be compared at once.
      if (localStorage.getItem(choiceKey(other)) === null) localStorage.setItem(choiceKey(other), JSON.stringify({ ...FIRST, second: imagery.id }));
    },
    say: toast,
  });
  const rest = reviewRest(labelSet.id, labelSet.project);
  const review = new Review({
    rest, app, say: toast,
    get mayLabel() { return app.view.rights.label; },
    get mayReview() { return app.view.rights.review; },
    centre: (bounds) => shown?.centreOn(bounds),
    ahead: (bounds) => shown?.readAhead(bounds),
  });
  const comments = new Comments({
    rest, app, say: toast,
    get mayLabel() { return app.view.rights.label; },
    middle: () => shown?.centre() ?? [0.5, 0.5],
    centre: ([lon, lat]) => shown?.map.panTo([lat, lon]),
  });
  const onMap = (map: MapView): (() => void) => {
    let settled: ReturnType<typeof setTimeout> | undefined;
    const load = (): void => {
      clearTimeout(settled);
      settled = setTimeout(() => void sync.load(false).catch(() => undefined), SETTLE_MS);
    };
    const sync = new Sync(
      {
        rest: restOf(layer.url, `/api/label-sets/${labelSet.id}/edits`),
        queue,
        bounds: () => (large ? map.bounds() : null),
        connect: (handlers) => openLive<ServerMessage>(`/ws/layers/${layer.id}/`, handlers),
        onState: (state) => {
          app.onState(state);
          map.setTiles(state.truncated ? { ...layer, seq: state.seq } : null);
          // It grew while it was open (a colleague's import): from now on what is in view.
          if (state.truncated && !large) {
            large = true;
            load();
          }
        },
        onConnection: (connection) => app.onConnection(connection),
        onMembers: (members) => app.onMembers(members),
        onCursor: (cursor) => cursor.id !== String(user.id) && app.onCursorOf(cursor),
        onError: (message) => toast(message, "bad"),
        onRole: (role) => app.onRole(role),
        onTasks: () => void tasks.catchUp(),
        onComments: () => void comments.load(),
        onOffsets: () => void shownImagery.readOffsets(),
        onMerged: mergedSayer((message) => toast(message, "neutral")),
        onProposed: (message) => toast(message, "warn"),
      },
      app.view.doc,
    );
    app.sync = sync;
    shown = map;
    const segments = new Segments({
      rest: segmentRest(labelSet.id),
      bounds: () => map.shownBounds(),
      onState: (state) => app.set({ segments: state }),
      redraw: () => app.redraw(),
    });
    app.drawing = new Drawing(app, pixelOf(imagery), () => map.inView(), () => map.centre(), segments, assistOf(labelSet.id));
    const segmentsOff = onSegments(map.map, app, segments, shownImagery);
    const tasksOff = onTaskMap(map, app, tasks);
    const commentsOff = onCommentMap(map, comments);
    void tasks.start(document);
    void comments.load();
    app.onFit = (bounds) => map.fit(bounds);
    app.onPointed = (world) => {
      map.setCrosshair(false);
      sync.point(...fromWorld(world));
    };
    const arrival = arrivalOf(location.search);
    if (new URLSearchParams(location.search).get("tab") === "review") app.set({ tab: "review", panel: true });
    if (arrival) map.fit(arrival.bounds);
    void sync.start().finally(() => {
      app.set({ loading: false });
      count();
      if (arrival) app.show(arrival.id);
    });
    map.map.on("moveend", () => large && load());
    let counted = -1;
    // A large layer's counts are the server's: often enough to look live, and only when something changed.
    const count = (): void => {
      const { seq } = app.view.doc;
      if (!large || seq === counted || seq < 0) return;
      counted = seq;
      totalsOf(layer.url).then((totals) => app.set({ totals }), () => (counted = -1));
    };
    const counting = setInterval(count, COUNT_MS);
    // The state line and its colour depend on the browser's own idea of the network.
    const network = (): void => app.touch();
    window.addEventListener("online", network);
    window.addEventListener("offline", network);
    return () => {
      clearTimeout(settled);
      clearInterval(counting);
      window.removeEventListener("online", network);
      window.removeEventListener("offline", network);
      sync.stop();
      tasks.stop();
      tasksOff();
      commentsOff();
      segmentsOff();
      review.stop();
    };
  };

  window.addEventListener("beforeunload", (event) => {
    // On disk, work outlives the page; only in memory it would be lost.
    if (!durable && app.view.doc.pending.length) event.preventDefault();
  });
  render(<Page app={app} editor={editor} imagery={shownImagery} copying={copying} facts={imagery} basemaps={basemaps} layerUrl={layer.url} trainingUrl={`/training-data/new?label_set=${labelSet.id}`} me={String(user.id)} labelSet={labelSet} tasks={tasks} review={review} comments={comments} onMap={onMap} />, root);
}

void start();
