// Sends many photos, a few at a time. Knows no DOM; the network is behind a port.
import { asApiError } from "../ui/api";

export interface SentFile {
  file: string;
  name: string;
}

export interface Refused {
  name: string;
  message: string;
}

export interface Sending {
  sent: SentFile[];
  refused: Refused[];
}

const AT_ONCE = 3;
const TRIES = 4;
const FIRST_WAIT_MS = 600;

/** Photos by their names, and how many files are none. */
export function photosIn(files: readonly File[]): { photos: File[]; others: number } {
  const photos = files.filter((file) => /\.jpe?g$/i.test(file.name) && !file.name.startsWith("."));
  return { photos, others: files.length - photos.length };
}

/**
 * Send all, in their order as far as possible. What the server refuses is told in the answer; a lost connection is tried
 * again and then ends all.
 */
export async function sendAll(files: readonly File[], post: (file: File) => Promise<{ file: string }>, onSent: (count: number) => void, most: number): Promise<Sending> {
  const sent: (SentFile | undefined)[] = files.map(() => undefined);
  const refused: Refused[] = [];
  let [next, done] = [0, 0];
  const one = async (index: number, file: File): Promise<void> => {
    if (file.size > most || file.size === 0) {
      refused.push({ name: file.name, message: file.size === 0 ? "It is empty." : "It is too large." });
      return;
    }
    for (let tries = 1; ; tries++) {
      try {
        sent[index] = { file: (await post(file)).file, name: file.name };
        return;
      } catch (failure) {
        const error = asApiError(failure);
        const passing = error.status === 0 || error.status === 429 || error.status >= 500;
        if (passing && tries >= TRIES) throw failure;
        if (!passing) {
          refused.push({ name: file.name, message: `${error.message} ${error.fix}`.trim() });
          return;
        }
        await new Promise((resolve) => setTimeout(resolve, FIRST_WAIT_MS * 2 ** (tries - 1)));
      }
    }
  };
  const lane = async (): Promise<void> => {
    for (;;) {
      const index = next++;
      const file = files[index];
      if (!file) return;
      await one(index, file);
      done += 1;
      onSent(done);
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, files.length) }, lane));
  return { sent: sent.filter((item) => item !== undefined), refused };
}
