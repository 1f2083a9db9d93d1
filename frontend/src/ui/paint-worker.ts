// Draws tiles off the page's thread and hands their pictures back.
import { drawTile } from "./vector-paint";
import type { Drawing } from "./vector-paint";

export interface PaintRequest {
  id: number;
  drawing: Drawing;
}

export interface PaintAnswer {
  id: number;
  /** null: this browser draws in no worker. */
  picture: ImageBitmap | null;
}

declare const self: DedicatedWorkerGlobalScope;
const canvas = new OffscreenCanvas(1, 1);

function painted({ frame, ...drawing }: Drawing): ImageBitmap | null {
  canvas.width = frame.width;
  canvas.height = frame.height;
  const pen = canvas.getContext("2d");
  if (!pen) return null;
  drawTile(pen, { frame, ...drawing });
  return canvas.transferToImageBitmap();
}

self.onmessage = ({ data: { id, drawing } }: MessageEvent<PaintRequest>) => {
  const answer: PaintAnswer = { id, picture: painted(drawing) };
  self.postMessage(answer, answer.picture ? [answer.picture] : []);
};
