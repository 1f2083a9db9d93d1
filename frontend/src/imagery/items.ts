// The list of files on the upload page. Pure state.
import { EMPTY, isPicture, isRaster, isWorldFile, stem } from "./position";
import type { Draft } from "./position";
import type { Upload } from "./types";

export type Phase = "new" | "sending" | "waiting" | "paused" | "ingesting" | "done" | "failed";

export interface Item {
  key: string;
  file: File;
  name: string;
  draft: Draft;
  phase: Phase;
  sent: number;
  upload: Upload | null;
  job: string | null;
  url: string | null;
  error: unknown;
}

/** What the dropped files become: new items, world files by stem, and names that cannot be taken. */
export interface Sorted {
  rasters: File[];
  worlds: File[];
  refused: string[];
}

/** Sort dropped files by what they are. */
export function sortFiles(files: readonly File[]): Sorted {
  return {
    rasters: files.filter((file) => isRaster(file.name)),
    worlds: files.filter((file) => isWorldFile(file.name)),
    refused: files.filter((file) => !isRaster(file.name) && !isWorldFile(file.name)).map((file) => file.name),
  };
}

/** An unfinished upload of the same file (name and size), in the same project. */
export function unfinished(uploads: readonly Upload[], file: File, project: string): Upload | null {
  return uploads.find((row) => row.filename === file.name && row.size_bytes === file.size && row.project === project) ?? null;
}

/** A new item for a file; `upload` where it goes on with an unfinished one. */
export function itemOf(file: File, key: string, upload: Upload | null): Item {
  return {
    key,
    file,
    name: file.name.replace(/\.[^.]*$/, ""),
    draft: { ...EMPTY, way: "file" },
    phase: upload ? "paused" : "new",
    sent: upload?.received_bytes ?? 0,
    upload,
    job: null,
    url: null,
    error: null,
  };
}

/** Give the texts of world files to the pictures of the same name. */
export function withWorlds(items: readonly Item[], worlds: ReadonlyMap<string, string>): Item[] {
  return items.map((item) => {
    const world = worlds.get(stem(item.file.name));
    if (world === undefined || item.phase !== "new") return item;
    return { ...item, draft: { ...item.draft, way: "world", world } };
  });
}

/** True where the file cannot go before somebody says where it lies. */
export function needsPosition(item: Item): boolean {
  return item.phase === "new" && isPicture(item.file.name);
}
