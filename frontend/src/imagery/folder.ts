// Rasters in a folder of the server, and what becomes of them. Pure.

export interface Entry {
  name: string;
  kind: "folder" | "file";
  size_bytes: number;
  /** The project has a layer of a file of that name and size. */
  known: boolean;
}

export interface Listing {
  /** The folders that are open. */
  folders: string[];
  /** The one that is listed; null: none yet. */
  folder: string | null;
  up: string | null;
  entries: Entry[];
  /** How many more there are. */
  left_out: number;
}

/** What the server says of the files that were sent for. */
export interface Answer {
  jobs: { name: string; job: string }[];
  refused: { name: string; message: string; fix: string }[];
}

/** How many files are sent for in one request. */
export const AT_ONCE = 100;

export type Outcome = { state: "going" } | { state: "done"; url: string } | { state: "failed"; message: string; fix: string };

export interface Taken {
  name: string;
  /** Empty where it was refused at once. */
  job: string;
  outcome: Outcome;
}

/** The rows of an answer. */
export function rowsOf({ jobs, refused }: Answer): Taken[] {
  return [
    ...jobs.map((row): Taken => ({ ...row, outcome: { state: "going" } })),
    ...refused.map(({ name, message, fix }): Taken => ({ name, job: "", outcome: { state: "failed", message, fix } })),
  ];
}

/** The address of a listing. */
export function listingUrl(project: string, folder: string | null): string {
  const query = new URLSearchParams({ project, ...(folder ? { folder } : {}) });
  return `/api/imagery/folders?${query.toString()}`;
}

/** The files that "all" means: those that the project does not have yet. */
export const fresh = (entries: readonly Entry[]): string[] => entries.filter((row) => row.kind === "file" && !row.known).map((row) => row.name);

export interface Report {
  of: number;
  done: number;
  failed: Taken[];
  /** From 0 to 1. */
  share: number;
}

/** How far a batch is. */
export function reportOf(rows: readonly Taken[]): Report {
  const failed = rows.filter((row) => row.outcome.state === "failed");
  const done = rows.filter((row) => row.outcome.state === "done").length;
  return { of: rows.length, done, failed, share: rows.length === 0 ? 0 : (done + failed.length) / rows.length };
}
