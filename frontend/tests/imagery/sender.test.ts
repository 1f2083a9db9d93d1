import { describe, expect, it, vi } from "vitest";
import { itemOf, sortFiles, unfinished, withWorlds } from "../../src/imagery/items";
import { nextSize, send } from "../../src/imagery/sender";
import type { UploadPort } from "../../src/imagery/sender";
import type { Upload } from "../../src/imagery/types";
import { ApiError } from "../../src/ui/api";

const SIZE = 3_000_000;

function upload(received = 0): Upload {
  return {
    id: "u",
    project: "p",
    filename: "a.tif",
    size_bytes: SIZE,
    received_bytes: received,
    chunk_bytes: 1_000_000,
    state: "receiving",
    job: null,
  };
}

/** A server that stores what it gets; `fault` may throw before or after it stored a piece. */
function server(fault: (call: number) => "before" | "after" | null = () => null): UploadPort & { stored: Uint8Array; calls: number } {
  const self = {
    stored: new Uint8Array(0),
    calls: 0,
    state: () => Promise.resolve(upload(self.stored.length)),
    async piece(_id: string, offset: number, data: Blob): Promise<Upload> {
      self.calls += 1;
      const kind = fault(self.calls);
      if (kind === "before") throw new ApiError(0, "offline", "gone");
      if (offset !== self.stored.length) {
        throw new ApiError(409, "wrong_offset", "no", "", { received_bytes: self.stored.length });
      }
      const piece = new Uint8Array(await data.arrayBuffer());
      const joined = new Uint8Array(self.stored.length + piece.length);
      joined.set(self.stored);
      joined.set(piece, self.stored.length);
      self.stored = joined;
      if (kind === "after") throw new ApiError(0, "offline", "answer lost");
      return upload(self.stored.length);
    },
  };
  return self;
}

const bytes = Uint8Array.from({ length: SIZE }, (_, index) => (index * 31) % 251);
/** Element-wise toEqual takes half a minute on three million bytes. */
const same = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((value, index) => value === b[index]);
const file = new Blob([bytes]);
const watcher = { onSent: vi.fn(), onWaiting: vi.fn() };

describe("sender", () => {
  it("sends every byte once", async () => {
    const there = server();
    await send(file, upload(), there, watcher, new AbortController().signal);
    expect(same(there.stored, bytes)).toBe(true);
  });
  it("goes on after pieces and answers were lost, doubling nothing", async () => {
    vi.useFakeTimers();
    const there = server((call) => (call === 2 ? "before" : call === 3 ? "after" : null));
    const sending = send(file, upload(), there, watcher, new AbortController().signal);
    await vi.runAllTimersAsync();
    await sending;
    vi.useRealTimers();
    expect(same(there.stored, bytes)).toBe(true);
    expect(watcher.onWaiting).toHaveBeenCalledWith(true);
  });
  it("stops at once when paused and goes on from what the server has", async () => {
    const there = server();
    const stop = new AbortController();
    const real = there.piece.bind(there);
    there.piece = async (id, offset, data, signal) => {
      const answer = await real(id, offset, data, signal);
      stop.abort();
      if (signal.aborted) throw new DOMException("Paused", "AbortError");
      return answer;
    };
    await expect(send(file, upload(), there, watcher, stop.signal)).rejects.toThrow("Paused");
    there.piece = real;
    await send(file, await there.state("u", stop.signal), there, watcher, new AbortController().signal);
    expect(same(there.stored, bytes)).toBe(true);
  });
  it("gives up on an answer that will not change", async () => {
    const there = server();
    there.piece = () => Promise.reject(new ApiError(404, "not_found", "gone"));
    await expect(send(file, upload(), there, watcher, new AbortController().signal)).rejects.toThrow("gone");
  });
  it("keeps pieces between a quarter and the most", () => {
    expect(nextSize(1_000_000, 100, 8_000_000)).toBe(2_000_000);
    expect(nextSize(1_000_000, 60_000, 8_000_000)).toBe(262_144);
    expect(nextSize(6_000_000, 1, 8_000_000)).toBe(8_000_000);
  });
});

describe("items", () => {
  it("pairs world files with pictures and names what cannot be taken", () => {
    const files = ["a.png", "A.pgw", "b.tif", "c.txt"].map((name) => new File(["1"], name));
    const sorted = sortFiles(files);
    expect(sorted.rasters.map((row) => row.name)).toEqual(["a.png", "b.tif"]);
    expect(sorted.refused).toEqual(["c.txt"]);
    const items = withWorlds(
      sorted.rasters.map((row, index) => itemOf(row, String(index), null)),
      new Map([["a", "1 0 0 -1 5 6"]]),
    );
    expect(items.map((item) => item.draft.way)).toEqual(["world", "file"]);
  });
  it("finds the unfinished upload of the same file by name and size", () => {
    const same = new File([new Uint8Array(SIZE)], "a.tif");
    expect(unfinished([upload(5)], same, "p")?.received_bytes).toBe(5);
    expect(unfinished([upload(5)], new File(["1"], "a.tif"), "p")).toBeNull();
    expect(unfinished([upload(5)], same, "other")).toBeNull();
  });
});
