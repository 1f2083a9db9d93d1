// A job as the API and the sockets show it.

export type JobState = "queued" | "running" | "publishing" | "succeeded" | "failed" | "cancelled";

export interface Job {
  id: string;
  kind: string;
  title: string;
  state: JobState;
  progress: number;
  message: string;
  attempt: number;
  max_attempts: number;
  cancel_requested: boolean;
  error: { code: string; message: string; fix: string } | null;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
  created_by: string | null;
  project: string | null;
  project_name: string;
  result: Record<string, unknown>;
  seq: number;
  url: string;
}

export interface JobEvent {
  seq: number;
  level: string;
  text: string;
  attempt: number;
  at: string;
}

/** A message of `/ws/jobs/<id>/`. */
export type JobMessage = { type: "job"; job: Job } | { type: "events"; events: JobEvent[] } | { type: "pong" };

/** A message of `/ws/jobs/`. */
export type JobsMessage = { type: "jobs"; jobs: Job[] } | { type: "pong" };
