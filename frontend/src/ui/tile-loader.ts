// The page's side of the decoding worker: one worker for all layers of a page.
import type { DecodedTile } from "./vector-tile";
import type { WorkerAnswer, WorkerRequest } from "./vector-worker";

/** A tile on its way; `abort` forgets it. */
export interface Load {
  abort: () => void;
}

export interface LoadHandlers {
  onTile: (tile: DecodedTile | null) => void;
  /** The status of the answer; 0 where the server was not reached. */
  onFail: (status: number) => void;
}

export type TileLoader = (url: string, handlers: LoadHandlers) => Load;

let worker: Worker | null = null;
let next = 1;
const waiting = new Map<number, LoadHandlers>();

function started(): Worker {
  if (worker) return worker;
  worker = new Worker(new URL("./vector-worker.ts", import.meta.url), { type: "module" });
  worker.onmessage = (event: MessageEvent<WorkerAnswer>) => {
    const answer = event.data;
    const handlers = waiting.get(answer.id);
    waiting.delete(answer.id);
    if ("tile" in answer) handlers?.onTile(answer.tile);
    else handlers?.onFail(answer.failed);
  };
  return worker;
}

/** Fetch and decode a tile in the worker. */
export const loadInWorker: TileLoader = (url, handlers) => {
  const id = next++;
  waiting.set(id, handlers);
  const post = (request: WorkerRequest): void => started().postMessage(request);
  post({ type: "load", id, url: new URL(url, window.location.href).href });
  return {
    abort: () => {
      if (waiting.delete(id)) post({ type: "abort", id });
    },
  };
};
