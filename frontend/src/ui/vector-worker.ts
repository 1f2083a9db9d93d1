// Fetches and decodes vector tiles off the page's thread; a tile that nobody waits for any more is aborted.
import { buffersOf, decode } from "./vector-tile";
import type { DecodedTile } from "./vector-tile";

export type WorkerRequest = { type: "load"; id: number; url: string } | { type: "abort"; id: number };
export type WorkerAnswer = { id: number; tile: DecodedTile | null } | { id: number; failed: number };

declare const self: DedicatedWorkerGlobalScope;
const running = new Map<number, AbortController>();

async function load(id: number, url: string): Promise<void> {
  const controller = new AbortController();
  running.set(id, controller);
  let answer: WorkerAnswer;
  try {
    const response = await fetch(url, { signal: controller.signal, credentials: "same-origin" });
    if (!response.ok) answer = { id, failed: response.status };
    else answer = { id, tile: response.status === 204 ? null : decode(await response.arrayBuffer()) };
  } catch {
    answer = { id, failed: 0 };
  }
  if (!running.delete(id)) return;
  self.postMessage(answer, "tile" in answer && answer.tile ? buffersOf(answer.tile) : []);
}

self.onmessage = (event: MessageEvent<WorkerRequest>) => {
  const request = event.data;
  if (request.type === "load") {
    void load(request.id, request.url);
  } else {
    running.get(request.id)?.abort();
    running.delete(request.id);
  }
};
