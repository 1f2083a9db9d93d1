import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Stream } from "../../src/omissions/stream";
import type { Detection, OmissionPage } from "../../src/omissions/types";

const detection = (id: string): Detection => ({ id, geometry: { type: "Point", coordinates: [0, 0] }, meta: { class_value: 2, score: 0.9 } });

let sent: Record<string, unknown>[];
let pages: OmissionPage[];
let answer: number;
let said: string[];
let stream: Stream;

beforeEach(async () => {
  [sent, said, answer] = [[], [], 200];
  const ids = Array.from({ length: 15 }, (_, i) => `d${i}`);
  const page = (some: string[], next: string | null): OmissionPage => ({ count: 15, most: 10_000, next, features: some.map(detection), classes: { "2": 7 } });
  // The last of the first page comes a second time: something moved between the two calls.
  pages = [page(ids.slice(0, 12), "0.9,12"), page(ids.slice(11), null)];
  vi.stubGlobal("fetch", async (url: string, options: { method: string; body?: string }) => {
    if (options.method === "POST") {
      sent.push(JSON.parse(options.body ?? "{}") as Record<string, unknown>);
      const body = answer === 200 ? { sample: null } : { code: "not_omitted", message: "Somebody has decided.", fix: "" };
      return new Response(JSON.stringify(body), { status: answer, headers: { "Content-Type": "application/json" } });
    }
    const found = url.includes("after=") ? pages[1] : pages[0];
    return new Response(JSON.stringify(found), { headers: { "Content-Type": "application/json" } });
  });
  stream = new Stream("/omissions", { layer: "l", score: 0.5, cover: 0.3, classValue: "" }, () => undefined, (message) => said.push(message));
  await stream.want({});
});
afterEach(() => vi.unstubAllGlobals());

describe("the stream of omissions", () => {
  it("shows the next at once and sends the decision beside it", async () => {
    expect([stream.view.current?.id, stream.view.left, stream.suggestedClass()]).toEqual(["d0", 15, 7]);
    const adding = stream.add(7);
    expect(stream.view.current?.id).toBe("d1");
    await adding;
    await stream.dismiss();
    stream.skip();
    expect(sent.map(({ action, id, class_value: value }) => [action, id, value])).toEqual([["add", "d0", 7], ["dismiss", "d1", undefined]]);
    expect([stream.view.current?.id, stream.view.left]).toEqual(["d3", 12]);
  });

  it("reads on before it runs out, and shows nothing twice", async () => {
    const seen: string[] = [];
    while (stream.view.current) {
      seen.push(stream.view.current.id);
      stream.skip();
      await vi.waitFor(() => expect(stream.view.loading).toBe(false));
    }
    expect(seen).toEqual(Array.from({ length: 15 }, (_, i) => `d${i}`));
  });

  it("takes a dismissal back, but no sample", async () => {
    await stream.dismiss();
    await stream.back();
    expect(sent.at(-1)).toEqual({ action: "bring_back", id: "d0" });
    expect([stream.view.current?.id, stream.view.left, stream.view.canGoBack]).toEqual(["d0", 15, false]);
    await stream.add(null);
    await stream.back();
    expect(stream.view.current?.id).toBe("d1");
    expect(said).toHaveLength(1);
  });

  it("says nothing where a colleague was quicker", async () => {
    answer = 409;
    await stream.dismiss();
    expect([stream.view.current?.id, said]).toEqual(["d1", []]);
  });
});
