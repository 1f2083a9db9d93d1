// The map of the page: imagery below, samples above, the tools' gestures in between.

import { onEarth, onHash, viewOf } from "../ui/address-hash";
import { createMap, goTo, toLatLngBounds, vectorTileLayer } from "../ui/map";
import type { ImageryInfo, VectorInfo, VectorTileLayer } from "../ui/map";
import type { App, View } from "./app";
import type { Frame } from "./canvas-pane";
import type { EditorPort } from "./editor";
import { boxBetween, fromWorld, toWorld } from "./geometry";
import type { Bounds } from "./geometry";
import { Pictures } from "./imagery/pictures";
import type { Imagery } from "./imagery/state";
import { fill, marks, SamplesLayer, stroke, trace } from "./layer";
import type { Mark } from "./layer";
import { drawCursors, drawMarks } from "./people";
import { listenTo } from "./pointer";
import { SegmentDrawing } from "./segments/drawing";
import { at, drawSketch } from "./sketch-drawing";
import { SKETCHES } from "./sketches";
import { shapeOf } from "./shapes";
import { Tools } from "./tools";
import { EDGE_PX, roomBelow } from "./room";
import type { Id, Position, Sample } from "./types";

export interface MapView {
  readonly map: L.Map;
  readonly tools: Tools;
  readonly samples: SamplesLayer;
  /** The box in view, a little grown: what a large layer loads. */
  bounds(): Bounds;
  /** The box in view, no more. */
  shownBounds(): Bounds;
  fit(bounds: Bounds): void;
  /** Put a box in the middle, with room around it, whether it is seen already or not. */
  centreOn(bounds: Bounds): void;
  /** Have the imagery read that will be needed there. */
  readAhead(bounds: Bounds): void;
  /** Show all samples as tiles while there are too many in view to edit. */
  setTiles(info: VectorInfo | null): void;
  /** Show the crosshair of keyboard drawing at the centre, or hide it; return whether that changed anything. */
  setCrosshair(shown: boolean): boolean;
  centre(): Position;
  /** The samples that lie in view. */
  inView(): readonly Sample[];
  stop(): void;
}

export const MINE = "#4c9aff";
export const THEIRS = "#ff9f1c";
const SNAP = "#ff2bd6";
const SELECTED = "#ffffff";
export function openMap(element: HTMLElement, app: App, editor: EditorPort, shown: Imagery, panning: () => boolean): MapView {
  const imagery = shown.own;
  // Keys, boxes and double clicks are the tools'.
  const map = createMap(element, { bounds: imagery.bounds, basemap: null, keyboard: false, boxZoom: false, doubleClickZoom: false, zoomSnap: 0.5, wheelPxPerZoomLevel: 90, minZoom: 2 });
  const pictures = new Pictures(map, shown);
  const samples = new SamplesLayer(map);
  const tools = new Tools(app, samples, editor);
  const stopPointer = listenTo(map, tools, panning);
  const seen = viewOf(window.location.hash);
  if (seen) map.setView([seen.lat, seen.lon], seen.zoom, { animate: false });
  map.on("moveend", () => window.history.replaceState(null, "", hashOf(map)));
  window.history.replaceState(null, "", hashOf(map));
  const stopAddress = onHash((hash) => {
    const asked = viewOf(hash);
    if (asked) goTo(map, [asked.lat, asked.lon], asked.zoom);
  });
  let crosshair = false;
  let tiles: VectorTileLayer | null = null;
  let segments: SegmentDrawing | null = null;

  const centre = (): Position => {
    const { lat, lng } = map.getCenter();
    return toWorld([lng, lat]);
  };

  const overlays = (view: View): void => {
    samples.setOverlays([
      marks(outlines(view, samples, tools, editor.geometry !== null)),
      (pen, frame) => editor.draw(pen, frame, samples.colourOf(view.doc.view.get([...view.selected][0] ?? "")?.classValue ?? null)),
      (pen, frame) => {
        if (view.tool !== "segments" || !app.drawing) return;
        segments ??= new SegmentDrawing(app.drawing.segments);
        segments.draw(pen, frame, tools.draft?.kind === "sketch" ? tools.draft.points : [], samples.colourOf(view.currentClass));
      },
      (pen, frame) => drawDraft(pen, frame, tools, view, samples.colourOf(view.currentClass), crosshair ? centre() : null),
      (pen, frame) => drawMarks(pen, frame, view, app.me),
      (pen, frame) => {
        drawCursors(pen, frame, view);
        // A canvas tells nobody what is on it.
        element.dataset["pointers"] = String(view.cursors.length);
      },
    ]);
  };

  const refresh = (view: View, before: View | null): void => {
    openEditor(view, editor, app.mayEdit);
    const { doc, hiddenClasses, labelsHidden } = view;
    const left = new Set([...doc.conflicts.map(({ id }) => id), ...(editor.geometry && view.selected.size === 1 ? view.selected : [])]);
    const pending = new Set(doc.pending.map(({ id }) => id));
    const same = before && doc === before.doc && hiddenClasses === before.hiddenClasses && labelsHidden === before.labelsHidden && view.selected === before.selected && view.tool === before.tool;
    if (!same) samples.show({ samples: doc.truncated ? onlyThose(doc.view, pending, view.selected) : doc.view, classes: doc.classes, hiddenClasses, pending, left, labelsHidden });
    overlays(view);
  };

  app.onChange = (view, before) => {
    if (view.tool !== before.tool) {
      tools.abandon();
      element.style.cursor = view.tool === "select" ? "" : "crosshair";
    }
    refresh(view, before);
  };
  let shownDraft = "";
  app.onRedraw = () => {
    overlays(app.view);
    // The hint beside the map says what to do next: only with another kind or number of points, not at every move.
    const { draft } = tools;
    const points = draft?.kind === "sketch" && SKETCHES[draft.tool].way !== "stroke" ? draft.points.length : 0;
    const now = draft?.kind === "sketch" && draft.points.length ? `${draft.tool} ${points}` : "";
    if (now === shownDraft) return;
    shownDraft = now;
    app.touch();
  };
  app.onCursor = (name) => (element.style.cursor = name);
  refresh(app.view, null);

  return {
    map,
    tools,
    samples,
    centre,
    inView: () => {
      const box = map.getBounds();
      const [west, north] = toWorld([box.getWest(), box.getNorth()]);
      const [east, south] = toWorld([box.getEast(), box.getSouth()]);
      return samples.inside([west, north, east, south]).flatMap((id) => app.view.doc.view.get(id) ?? []);
    },
    bounds: () => {
      const box = map.getBounds().pad(0.25);
      return [Math.max(box.getWest(), -180), Math.max(box.getSouth(), -90), Math.min(box.getEast(), 180), Math.min(box.getNorth(), 90)];
    },
    shownBounds: () => {
      const box = map.getBounds();
      return [box.getWest(), box.getSouth(), box.getEast(), box.getNorth()];
    },
    fit: (bounds) => {
      const box = toLatLngBounds(bounds);
      // A sample that is well seen already stays where it is.
      const size = map.latLngToContainerPoint(box.getSouthEast()).distanceTo(map.latLngToContainerPoint(box.getNorthWest()));
      const { y: height } = map.getSize();
      const bottom = roomBelow(height, element.parentElement?.querySelector(".label-bottom")?.clientHeight ?? 0);
      const lowest = map.latLngToContainerPoint(box.getSouthEast()).y;
      if (map.getBounds().pad(-0.1).contains(box) && size > 60 && (bottom === EDGE_PX || lowest < height - bottom)) return;
      map.fitBounds(box, { maxZoom: Math.max(map.getZoom(), Math.min(imagery.max_zoom + 1, 24)), paddingTopLeft: [EDGE_PX, EDGE_PX], paddingBottomRight: [EDGE_PX, bottom] });
    },
    centreOn: (bounds) => map.setView(...reviewView(map, imagery, bounds), { animate: false }),
    readAhead: (bounds) => {
      for (const url of tilesAhead(map, imagery, ...reviewView(map, imagery, bounds))) new Image().src = url;
    },
    setTiles: (info) => {
      if (!info) {
        tiles?.remove();
        tiles = null;
        return;
      }
      const style = { colours: new Map(app.view.doc.classes.map(({ value, colour }) => [value, colour])), hidden: new Set([...app.view.hiddenClasses].map((value) => value ?? -1)) };
      if (tiles) tiles.setStyle(style).refresh(info);
      else tiles = vectorTileLayer(info, style).addTo(map);
    },
    setCrosshair: (shown) => {
      if (shown === crosshair) return false;
      crosshair = shown;
      overlays(app.view);
      return true;
    },
    stop: () => {
      stopAddress();
      stopPointer();
      pictures.stop();
      samples.stop();
      map.remove();
    },
  };
}

/** Where the map looks to review what lies in a box: its middle, a third of the map's size. */
function reviewView(map: L.Map, imagery: ImageryInfo, bounds: Bounds): [centre: L.LatLng, zoom: number] {
  const box = toLatLngBounds(bounds);
  const closest = Math.min(imagery.max_zoom + 2, 24);
  return [box.getCenter(), Math.min(map.getBoundsZoom(box, false, map.getSize().multiplyBy(0.6)), closest)];
}

const MOST_AHEAD = 40;

/** The addresses of the tiles that a view will need. */
function tilesAhead(map: L.Map, imagery: ImageryInfo, centre: L.LatLng, zoom: number): string[] {
  const z = Math.min(Math.round(zoom) + (L.Browser.retina ? 1 : 0), imagery.max_zoom);
  const middle = map.project(centre, z).divideBy(256);
  const half = map.getSize().divideBy(2 * 256).multiplyBy(2 ** (z - zoom));
  const [low, high] = [middle.subtract(half).floor(), middle.add(half).floor()];
  const urls: string[] = [];
  for (let x = low.x; x <= high.x; x++) for (let y = low.y; y <= high.y; y++) urls.push(L.Util.template(imagery.tiles, { x, y, z }));
  return urls.slice(0, MOST_AHEAD);
}

/** The address of what is seen: a link leads to a place, a reload stays there. */
function hashOf(map: L.Map): string {
  const { lat, lng } = map.getCenter();
  return `#${Number(map.getZoom().toFixed(2))}/${lat.toFixed(8)}/${onEarth(lng).toFixed(8)}`;
}

/** While tiles show the layer, only what is being worked on is drawn above them. */
function onlyThose(all: ReadonlyMap<Id, Sample>, ...ids: readonly ReadonlySet<Id>[]): ReadonlyMap<Id, Sample> {
  return new Map(ids.flatMap((set) => [...set]).flatMap((id) => { const sample = all.get(id); return sample ? [[id, sample] as const] : []; }));
}

/** The one selected sample is open in the editor. */
function openEditor(view: View, editor: EditorPort, mayEdit: boolean): void {
  const [id] = view.selected;
  const torn = view.doc.conflicts.some((conflict) => conflict.id === id);
  // Somebody deleted it while it is being dragged: what the drag makes becomes a conflict, and is not lost.
  if (editor.dragging && !view.selected.size) return;
  const sample = view.selected.size === 1 && id !== undefined ? view.doc.view.get(id) : undefined;
  if (!sample || view.tool !== "select" || !mayEdit || torn || view.labelsHidden) editor.close();
  else editor.open(sample.geometry);
}

function outlines(view: View, samples: SamplesLayer, tools: Tools, open: boolean): Mark[] {
  const { doc, selected, labelsHidden } = view;
  if (labelsHidden) return [];
  const hovered = tools.hovered === null || selected.has(tools.hovered) ? undefined : doc.view.get(tools.hovered);
  // The editor draws the one that is open.
  const chosen = open ? [] : [...selected].flatMap((id) => doc.view.get(id) ?? []);
  return [
    ...(hovered ? [{ geometry: hovered.geometry, colour: samples.colourOf(hovered.classValue), width: 3, fill: 0.15 }] : []),
    ...chosen.map(({ geometry, classValue }): Mark => ({ geometry, colour: samples.colourOf(classValue), width: 3.5, fill: 0.2 })),
    ...chosen.map(({ geometry }): Mark => ({ geometry, colour: SELECTED, width: 1.25 })),
    ...(view.preview ? [{ geometry: view.preview, colour: SELECTED, width: 2.5, dashed: true, fill: 0.15 }] : []),
    ...doc.conflicts.flatMap(({ mine, theirs }): Mark[] => [
      ...(theirs ? [{ geometry: theirs.geometry, colour: THEIRS, width: 3, fill: 0.25 }] : []),
      ...(mine ? [{ geometry: mine.geometry, colour: MINE, width: 3, dashed: true, fill: 0.2 }] : []),
    ]),
  ];
}

function drawDraft(pen: CanvasRenderingContext2D, frame: Frame, tools: Tools, view: View, colour: string, crosshair: Position | null): void {
  const { draft, snapped } = tools;
  if (draft?.kind === "lasso") {
    pen.beginPath();
    trace(pen, frame, shapeOf(boxBetween(fromWorld(draft.from), fromWorld(draft.to))));
    fill(pen, SELECTED, 0.12);
    pen.setLineDash([6, 4]);
    stroke(pen, "rgb(0 0 0 / 60%)", 4);
    stroke(pen, SELECTED, 2);
    pen.setLineDash([]);
  } else if (draft) drawSketch(pen, frame, draft, view, colour);
  if (snapped) {
    pen.beginPath();
    pen.arc(...at(snapped, frame), 7, 0, 2 * Math.PI);
    stroke(pen, "rgb(0 0 0 / 60%)", 4);
    stroke(pen, SNAP, 2);
  }
  if (crosshair) drawCrosshair(pen, at(crosshair, frame));
}

function drawCrosshair(pen: CanvasRenderingContext2D, [x, y]: Position): void {
  for (const [colour, width] of [["rgb(0 0 0 / 70%)", 4], ["#ffffff", 1.5]] as const) {
    pen.beginPath();
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]] as const) {
      pen.moveTo(x + dx * 4, y + dy * 4);
      pen.lineTo(x + dx * 16, y + dy * 16);
    }
    stroke(pen, colour, width);
  }
}
