// Comments on the map: a pin at each place; a click on one opens its thread.

import { CanvasPane } from "../canvas-pane";
import type { Frame } from "../canvas-pane";
import { toWorld } from "../geometry";
import type { MapView } from "../map-view";
import type { Comments } from "./comments";
import type { Thread } from "./rest";

const PIN = "#ffd43b";
const RADIUS_PX = 11;

/** Show the pins and open what is clicked; return what ends it. */
export function onCommentMap(view: MapView, comments: Comments): () => void {
  const { map } = view;
  map.createPane("comments").classList.add("label-pane", "label-pane-marks");
  const pane = new CanvasPane((pen, frame) => draw(pen, frame, comments), "comments").addTo(map);
  const click = (event: L.LeafletMouseEvent): void => {
    const hit = comments.view.threads.find(({ lon, lat }) => head(map.latLngToContainerPoint([lat, lon])).distanceTo(event.containerPoint) <= RADIUS_PX);
    if (hit) comments.show(hit);
  };
  map.on("click", click);
  const unsubscribe = comments.subscribe(() => pane.redraw());
  return () => {
    unsubscribe();
    map.off("click", click);
    pane.remove();
  };
}

/** The middle of a pin's head, above its place. */
function head(place: L.Point): L.Point {
  return L.point(place.x, place.y - RADIUS_PX * 1.6);
}

function draw(pen: CanvasRenderingContext2D, frame: Frame, comments: Comments): void {
  for (const thread of comments.view.threads) {
    const [wx, wy] = toWorld([thread.lon, thread.lat]);
    const [x, y] = [wx * frame.scale - frame.origin[0], wy * frame.scale - frame.origin[1]];
    if (x < -40 || y < -40 || x > frame.width + 40 || y > frame.height + 40) continue;
    drawPin(pen, x, y, thread, thread.id === comments.view.chosen);
  }
}

function drawPin(pen: CanvasRenderingContext2D, x: number, y: number, thread: Thread, chosen: boolean): void {
  const top = y - RADIUS_PX * 1.6;
  pen.beginPath();
  pen.arc(x, top, RADIUS_PX, Math.PI * 0.8, Math.PI * 0.2);
  pen.lineTo(x, y);
  pen.closePath();
  pen.strokeStyle = chosen ? "#ffffff" : "rgb(0 0 0 / 70%)";
  pen.lineWidth = chosen ? 4 : 2;
  pen.stroke();
  pen.fillStyle = thread.resolved_at === null ? PIN : "#adb5bd";
  pen.fill();
  pen.fillStyle = "#10201c";
  pen.font = "700 11px system-ui, sans-serif";
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillText(thread.answers.length ? String(thread.answers.length + 1) : "…", x, top + 0.5);
  pen.textAlign = "start";
}
