import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { backoff, openLive } from "../../src/ui/live";

class FakeSocket {
  static made: FakeSocket[] = [];
  static readonly OPEN = 1;
  readyState = 0;
  sent: string[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;

  constructor(readonly url: URL) {
    FakeSocket.made.push(this);
  }

  open(): void {
    this.readyState = 1;
    this.onopen?.();
  }

  send(text: string): void {
    this.sent.push(text);
  }

  close(code = 1006): void {
    this.readyState = 3;
    this.onclose?.({ code });
  }
}

const last = (): FakeSocket => FakeSocket.made.at(-1) as FakeSocket;

beforeEach(() => {
  FakeSocket.made = [];
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeSocket);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("waits grow to twenty seconds and never come as one", () => {
  expect([0, 1, 2].map((attempt) => backoff(attempt, () => 1))).toEqual([500, 1000, 2000]);
  expect(backoff(30, () => 1)).toBe(20_000);
  expect(backoff(0, () => 0)).toBe(125);
});

test("messages come in, and go out only while the socket is open", () => {
  const heard: unknown[] = [];
  const live = openLive("/ws/x/", { onMessage: (message) => heard.push(message) });
  expect(last().url.protocol).toBe("ws:");
  expect(live.send({ type: "ping" })).toBe(false);
  last().open();
  expect(live.send({ type: "ping" })).toBe(true);
  expect(last().sent).toEqual(['{"type":"ping"}']);
  last().onmessage?.({ data: '{"seq": 4}' });
  expect(heard).toEqual([{ seq: 4 }]);
  live.stop();
});

test("a lost socket comes back by itself and says how it stands", () => {
  const states: string[] = [];
  const live = openLive("/ws/x/", { onMessage: () => undefined, onState: (state) => states.push(state) });
  last().open();
  last().close();
  expect(states).toEqual(["connecting", "live", "offline"]);
  vi.advanceTimersByTime(600);
  expect(FakeSocket.made).toHaveLength(2);
  last().open();
  expect(states.at(-1)).toBe("live");
  live.stop();
  vi.advanceTimersByTime(60_000);
  expect(FakeSocket.made).toHaveLength(2);
});

test("a network that comes back is used at once", () => {
  const live = openLive("/ws/x/", { onMessage: () => undefined });
  last().close();
  window.dispatchEvent(new Event("online"));
  expect(FakeSocket.made).toHaveLength(2);
  live.stop();
});

test("a refusal is not tried again", () => {
  const codes: number[] = [];
  const live = openLive("/ws/x/", { onMessage: () => undefined, onRefused: (code) => codes.push(code) });
  last().open();
  last().close(4404);
  vi.advanceTimersByTime(60_000);
  expect(codes).toEqual([4404]);
  expect(FakeSocket.made).toHaveLength(1);
  live.stop();
});
