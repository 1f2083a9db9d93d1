// Sends one file in pieces. What the server has counted is on its disk, so any piece may be sent again.
import { ApiError, asApiError } from "../ui/api";
import type { Upload } from "./types";

/** The server's side, as the sender needs it. */
export interface UploadPort {
  state(id: string, signal: AbortSignal): Promise<Upload>;
  piece(id: string, offset: number, data: Blob, signal: AbortSignal): Promise<Upload>;
}

export interface Watcher {
  onSent(bytes: number): void;
  /** The connection is away; the sender tries again by itself. */
  onWaiting(waiting: boolean): void;
}

const FIRST_PIECE = 1024 ** 2;
// Pieces grow or shrink towards this long, so that the bar moves and a lost piece costs little.
const AIM_MS = 1500;
const SLOWEST_RETRY_MS = 15_000;

/** The next piece's size after one of `bytes` took `ms`. */
export function nextSize(bytes: number, ms: number, most: number): number {
  const wanted = (bytes * AIM_MS) / Math.max(ms, 1);
  return Math.round(Math.min(most, Math.max(256 * 1024, Math.min(wanted, bytes * 2))));
}

function mayRetry(error: ApiError): boolean {
  return error.status === 0 || error.status === 429 || error.status >= 500;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(new DOMException("Paused", "AbortError"));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal.addEventListener("abort", stop, { once: true });
  });
}

/** Send what is missing of a file; aborting the signal pauses (AbortError), and a later call goes on. */
export async function send(file: Blob, upload: Upload, port: UploadPort, watcher: Watcher, signal: AbortSignal): Promise<void> {
  let { received_bytes: sent } = upload;
  let size = Math.min(FIRST_PIECE, upload.chunk_bytes);
  let wait = 500;
  watcher.onSent(sent);
  while (sent < file.size) {
    const started = performance.now();
    try {
      const length = Math.min(size, file.size - sent);
      sent = (await port.piece(upload.id, sent, file.slice(sent, sent + length), signal)).received_bytes;
      size = nextSize(length, performance.now() - started, upload.chunk_bytes);
      wait = 500;
      watcher.onWaiting(false);
    } catch (failure) {
      if (failure instanceof DOMException && failure.name === "AbortError") throw failure;
      const error = asApiError(failure);
      const there = error.details["received_bytes"];
      if (error.code === "wrong_offset" && typeof there === "number") {
        sent = there; // the answer to a piece was lost on the way
      } else if (mayRetry(error)) {
        watcher.onWaiting(true);
        await pause(wait * (0.5 + Math.random()), signal);
        wait = Math.min(SLOWEST_RETRY_MS, wait * 2);
      } else {
        throw error;
      }
    }
    watcher.onSent(sent);
  }
}
