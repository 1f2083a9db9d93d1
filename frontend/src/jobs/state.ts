// Pure state of jobs: what a state looks like, how lists and logs grow.
import type { Job, JobEvent, JobState } from "./types";

export type Tone = "neutral" | "ok" | "warn" | "bad" | "accent";

const TONES: Record<JobState, Tone> = {
  queued: "neutral",
  running: "accent",
  publishing: "accent",
  succeeded: "ok",
  failed: "bad",
  cancelled: "warn",
};

/** The colour of a state. */
export function toneOf(state: JobState): Tone {
  return TONES[state];
}

/** True in a state that never changes again. */
export function isFinished(job: Pick<Job, "state">): boolean {
  return job.state === "succeeded" || job.state === "failed" || job.state === "cancelled";
}

/** The state in a word for people; a job that was told to stop is stopping. */
export function stateText(job: Pick<Job, "state" | "cancel_requested">): string {
  if (job.cancel_requested && job.state === "running") return "stopping";
  return job.state;
}

/** What a job does now, in a few words. */
export function doingText(job: Job): string {
  if (job.state === "queued") return job.attempt > 0 ? `Waiting for attempt ${job.attempt + 1} of ${job.max_attempts}` : "Waiting for a worker";
  // The last message of a job that went well tells a step, not the outcome.
  if (job.state === "succeeded") return "Done";
  if (isFinished(job)) return job.error ? job.error.message : job.message;
  return job.message || "Starting";
}

/** Where the job's result is seen, where its result says so: only an address on this site. */
export function resultUrl(job: Pick<Job, "result">): string | null {
  const url = job.result["url"];
  return typeof url === "string" && url.startsWith("/") && !url.startsWith("//") ? url : null;
}

/** The newer of two views of one job: by its log's number, then a finished one, then the further one. */
export function newer(known: Job | undefined, told: Job): Job {
  if (!known || told.seq > known.seq) return told;
  if (told.seq < known.seq || isFinished(known)) return known;
  return told;
}

/** A list with changed jobs put in, newest first. */
export function merge(known: readonly Job[], changed: readonly Job[]): Job[] {
  const byId = new Map(known.map((job) => [job.id, job]));
  for (const job of changed) byId.set(job.id, newer(byId.get(job.id), job));
  return [...byId.values()].sort((a, b) => b.created_at.localeCompare(a.created_at) || b.id.localeCompare(a.id));
}

/** A log with new lines put in: each once, in order. */
export function mergeEvents(known: readonly JobEvent[], more: readonly JobEvent[]): JobEvent[] {
  const last = known.at(-1)?.seq ?? 0;
  return [...known, ...more.filter((event) => event.seq > last)];
}

/** True where a job belongs into a list filtered by state ("" is all, "unfinished" those that still change). */
export function fits(job: Job, state: string, project: string): boolean {
  if (project !== "" && job.project !== project) return false;
  return state === "" || (state === "unfinished" ? !isFinished(job) : job.state === state);
}

/** Seconds that a job has run, or ran. */
export function secondsOf(job: Job, now: number): number | null {
  if (!job.started_at) return null;
  const end = job.finished_at ? new Date(job.finished_at).getTime() : now;
  return Math.max(0, (end - new Date(job.started_at).getTime()) / 1000);
}
