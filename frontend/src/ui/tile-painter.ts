// The page's side of the painting worker: one worker for all layers of a page.
import type { PaintAnswer, PaintRequest } from "./paint-worker";
import type { Drawing } from "./vector-paint";

/** Draws somewhere else; `onPicture` gets null where that could not be done, and closes the picture otherwise. */
export type TilePainter = (drawing: Drawing, onPicture: (picture: ImageBitmap | null) => void) => void;

let worker: Worker | null = null;
let broken = typeof OffscreenCanvas === "undefined" || !("transferToImageBitmap" in OffscreenCanvas.prototype);
let next = 1;
const waiting = new Map<number, (picture: ImageBitmap | null) => void>();

/** The page draws by itself from now on, what is on its way too. */
function giveUp(): void {
  broken = true;
  const left = [...waiting.values()];
  waiting.clear();
  for (const onPicture of left) onPicture(null);
}

function started(): Worker {
  if (worker) return worker;
  worker = new Worker(new URL("./paint-worker.ts", import.meta.url), { type: "module" });
  worker.onmessage = ({ data: { id, picture } }: MessageEvent<PaintAnswer>) => {
    const onPicture = waiting.get(id);
    waiting.delete(id);
    onPicture?.(picture);
    if (!picture) giveUp();
  };
  worker.onerror = giveUp;
  return worker;
}

/** Draw in the worker. */
const paintInWorker: TilePainter = (drawing, onPicture) => {
  const id = next++;
  waiting.set(id, onPicture);
  const request: PaintRequest = { id, drawing };
  started().postMessage(request);
};

/** What draws off the page's thread in this browser; null where the page has to. */
export function painterOfPage(): TilePainter | null {
  return broken ? null : paintInWorker;
}
