import { describe, expect, it } from "vitest";
import { PIECE, sendAll, withMore } from "../../src/photos/sender";
import type { Ports, Rest, SentFile } from "../../src/photos/sender";
import { ApiError } from "../../src/ui/api";

const MOST = 100;
const lost = new ApiError(0, "offline", "The server cannot be reached.");

function photos(count: number): File[] {
  return Array.from({ length: count }, (_, index) => new File(["x"], `${index}.jpg`, { lastModified: 1 }));
}

function all(files: File[]): Rest {
  return { files, unread: [] };
}

/** A server that keeps what it is sent; `fail` says what goes wrong with a name, or with a call of read (""). */
function server(fail: (name: string) => ApiError | undefined = () => undefined): Ports & { pieces: SentFile[][]; waited: number; done: number } {
  const made = {
    pieces: [] as SentFile[][],
    waited: 0,
    done: 0,
    post: (file: File) => {
      const failure = fail(file.name);
      return failure ? Promise.reject(failure) : Promise.resolve({ file: `kept-${file.name}` });
    },
    read: (piece: SentFile[]) => {
      const failure = fail("");
      if (failure) return Promise.reject(failure);
      made.pieces.push(piece);
      return Promise.resolve();
    },
    onSent: (count: number) => {
      made.done = count;
    },
    pause: (ms: number) => {
      made.waited += ms;
      return Promise.resolve();
    },
  };
  return made;
}

describe("sending photos", () => {
  it("has more than 2,000 read in pieces that the server takes, each photo once", async () => {
    const there = server();
    const came = await sendAll(all(photos(2_300)), there, MOST);
    expect(came).toEqual({ refused: [], rest: { files: [], unread: [] }, failure: null });
    expect(there.pieces.map((piece) => piece.length)).toEqual([PIECE, PIECE, PIECE, PIECE, 300]);
    expect(new Set(there.pieces.flat().map((item) => item.name)).size).toBe(2_300);
    expect(there.done).toBe(2_300);
  });

  it("bears a connection that is away for half a minute in each of three lanes", async () => {
    const there: ReturnType<typeof server> = server(() => (there.waited < 3 * 30_000 ? lost : undefined));
    const came = await sendAll(all(photos(4)), there, MOST);
    expect(came.failure).toBeNull();
    expect(there.pieces.flat()).toHaveLength(4);
  });

  it("has what was sent read when the connection is gone for good, and gives back the rest", async () => {
    const there = server((name) => (name !== "" && Number.parseInt(name) >= 7 ? lost : undefined));
    const files = photos(20);
    const came = await sendAll(all(files), there, MOST);
    expect(came.failure).toBe(lost);
    expect(there.waited).toBeGreaterThan(3 * 30_000);
    expect(there.pieces.flat().map((item) => item.name)).toEqual(files.slice(0, 7).map((file) => file.name));
    expect(came.rest).toEqual({ files: files.slice(7), unread: [] });
    const again = server();
    expect((await sendAll(came.rest, again, MOST)).failure).toBeNull();
    expect(again.pieces.flat()).toHaveLength(13);
  });

  it("keeps what was sent and could not be read, and does not send it again", async () => {
    const there = server((name) => (name === "" ? lost : undefined));
    const came = await sendAll(all(photos(3)), there, MOST);
    expect(came.failure).toBe(lost);
    expect([came.rest.files.length, came.rest.unread.length]).toEqual([0, 3]);
    const again = server((name) => (name === "" ? undefined : lost));
    expect((await sendAll(came.rest, again, MOST)).failure).toBeNull();
    expect(again.pieces.flat()).toHaveLength(3);
  });

  it("sends again what the server no longer has", async () => {
    const gone = new ApiError(400, "upload_missing", "'photo-1' did not arrive.");
    const files = photos(3);
    const came = await sendAll(all(files), server((name) => (name === "" ? gone : undefined)), MOST);
    expect(came).toEqual({ refused: [], rest: { files, unread: [] }, failure: gone });
  });

  it("tells what is wrong with one photo, and stops where all would be refused", async () => {
    const bad = new ApiError(413, "too_large", "It is too large.", "Send less.");
    const there = server((name) => (name === "1.jpg" ? bad : undefined));
    const came = await sendAll(all([...photos(3), new File([], "empty.jpg")]), there, MOST);
    expect(came.refused.map((item) => item.name).sort()).toEqual(["1.jpg", "empty.jpg"]);
    expect([there.pieces.flat().length, came.failure]).toEqual([2, null]);
    const signedOut = new ApiError(401, "unauthenticated", "You are not signed in.");
    const out = await sendAll(all(photos(9)), server(() => signedOut), MOST);
    expect([out.refused.length, out.rest.files.length, out.failure]).toEqual([0, 9, signedOut]);
  });

  it("takes a folder that is chosen anew behind the rest, each photo once", () => {
    const files = photos(4);
    const rest: Rest = { files: files.slice(2, 3), unread: files.slice(1, 2).map((source) => ({ file: "kept", name: source.name, source })) };
    expect(withMore(rest, files)).toEqual({ files: [files[2], files[0], files[3]], unread: rest.unread });
  });
});
