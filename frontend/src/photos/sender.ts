// Sends many photos, a few at a time, and has them read in pieces. Knows no DOM; the network and the clock are behind ports.
import { asApiError } from "../ui/api";

export interface SentFile {
  file: string;
  name: string;
}

export interface Refused {
  name: string;
  message: string;
}

/** A photo that the server holds, and that no job reads yet. */
export interface Unread extends SentFile {
  /** To send it again, where the server holds it no longer. */
  source: File;
}

/** Photos that are still to be sent, and those that are only still to be read. */
export interface Rest {
  files: File[];
  unread: Unread[];
}

export interface Ports {
  /** Send one. */
  post: (file: File) => Promise<{ file: string }>;
  /** Start a job that reads what was sent. */
  read: (piece: SentFile[]) => Promise<void>;
  /** Another photo is done with: sent or refused. */
  onSent: (count: number) => void;
  /** Return after so many milliseconds, later while the browser knows that it has no connection. */
  pause: (ms: number) => Promise<void>;
}

export interface Sending {
  refused: Refused[];
  rest: Rest;
  /** Why there is a rest; null where there is none. */
  failure: unknown;
}

const AT_ONCE = 3;
/** Photos of one job: the first are on the map while the last are still sent, and the server takes at most 2,000. */
export const PIECE = 500;
// About a minute: a modem that dials again, a server that starts anew.
const WAITS_MS = [1000, 2000, 4000, 8000, 15_000, 15_000, 15_000];
// What is wrong with one photo; any other refusal (signed out, no rights, no such set) holds for all that follow.
const OF_ONE_PHOTO = [400, 413, 415, 422];

/** Photos by their names, and how many files are none. */
export function photosIn(files: readonly File[]): { photos: File[]; others: number } {
  const photos = files.filter((file) => /\.jpe?g$/i.test(file.name) && !file.name.startsWith("."));
  return { photos, others: files.length - photos.length };
}

/** A rest with newly chosen photos behind it, each once. */
export function withMore(rest: Rest, files: readonly File[]): Rest {
  const key = (file: File): string => `${file.name}/${file.size}/${file.lastModified}`;
  const there = new Set([...rest.files, ...rest.unread.map((item) => item.source)].map(key));
  return { files: [...rest.files, ...files.filter((file) => !there.has(key(file)))], unread: rest.unread };
}

/**
 * Send all, in their order as far as possible, and have each piece read as soon as it is there. What the server refuses is
 * told in the answer. A lost connection is tried again for about a minute; then all that was sent is still read, if the
 * server can be asked, and the rest comes back.
 */
export async function sendAll(todo: Rest, ports: Ports, most: number): Promise<Sending> {
  const refused: Refused[] = [];
  const left = new Set(todo.files);
  let unread = [...todo.unread];
  let failure: unknown = null;
  let [reading, busy] = [Promise.resolve(), false];
  let [next, done] = [0, 0];
  const failed = (): boolean => failure !== null;
  const giveUp = (error: unknown): void => {
    failure ??= error;
  };

  const patiently = async <T>(attempt: () => Promise<T>): Promise<T> => {
    for (let tries = 0; ; tries++) {
      try {
        return await attempt();
      } catch (error) {
        const wait = WAITS_MS[tries];
        // Where another lane has given up there is nothing more to wait for.
        if (!isPassing(error) || wait === undefined || failed()) throw error;
        await ports.pause(wait);
      }
    }
  };
  const one = async (file: File): Promise<void> => {
    if (file.size > most || file.size === 0) {
      refused.push({ name: file.name, message: file.size === 0 ? "It is empty." : "It is too large." });
    } else {
      try {
        const { file: kept } = await patiently(() => ports.post(file));
        unread.push({ file: kept, name: file.name, source: file });
      } catch (error) {
        const told = asApiError(error);
        if (!OF_ONE_PHOTO.includes(told.status)) throw error;
        refused.push({ name: file.name, message: `${told.message} ${told.fix}`.trim() });
      }
    }
    left.delete(file);
    ports.onSent(++done);
  };
  const readPiece = async (): Promise<void> => {
    const piece = unread.slice(0, PIECE);
    try {
      await patiently(() => ports.read(piece.map(({ file, name }) => ({ file, name }))));
    } catch (error) {
      if (!OF_ONE_PHOTO.includes(asApiError(error).status)) throw error;
      // The server says that it does not have them (any more): only sending them again helps.
      for (const item of piece) left.add(item.source);
      giveUp(error);
    }
    unread = unread.filter((item) => !piece.includes(item));
  };
  const lane = async (): Promise<void> => {
    for (let file = todo.files[next++]; file && !failed(); file = todo.files[next++]) {
      try {
        await one(file);
      } catch (error) {
        giveUp(error);
        return;
      }
      if (unread.length >= PIECE && !busy) {
        busy = true;
        reading = readPiece()
          .catch(giveUp)
          .finally(() => (busy = false));
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  await reading;
  try {
    while (unread.length > 0) await readPiece();
  } catch (error) {
    giveUp(error);
  }
  return { refused, rest: { files: [...left], unread }, failure };
}

function isPassing(error: unknown): boolean {
  const { status } = asApiError(error);
  return status === 0 || status === 429 || status >= 500;
}
