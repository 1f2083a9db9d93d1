// Waiting for a job's result, telling how far it is.

import { ApiError, get, post } from "../ui/api";

export interface Told {
  /** 0 to 1; null while it waits. */
  readonly value: number | null;
  readonly text: string;
}

interface JobJson {
  readonly state: string;
  readonly progress: number;
  readonly message: string;
  readonly error: { readonly code: string; readonly message: string; readonly fix: string } | null;
  readonly result: unknown;
}

const LOOK_MS = 400;
const ENDED = new Set(["succeeded", "failed", "cancelled"]);

/** Return the result of a job when it has ended; an ApiError where it failed. Aborting cancels the job. */
export async function resultOf<T>(job: string, tell: (told: Told) => void, signal: AbortSignal): Promise<T> {
  for (;;) {
    const now = await get<JobJson>(`/api/jobs/${job}/`);
    if (signal.aborted) {
      if (!ENDED.has(now.state)) await post(`/api/jobs/${job}/cancel`);
      throw new DOMException("Cancelled", "AbortError");
    }
    tell(now.state === "queued" ? { value: null, text: "Waiting for a worker" } : { value: now.progress, text: now.message });
    if (now.state === "succeeded") return now.result as T;
    if (ENDED.has(now.state)) throw new ApiError(0, now.error?.code ?? "cancelled", now.error?.message ?? "The job was cancelled.", now.error?.fix ?? "");
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
