import { afterEach, expect, test, vi } from "vitest";
import { ApiError, get, post } from "../../src/ui/api";

function answer(status: number, body: string): void {
  vi.stubGlobal("fetch", vi.fn(() => Promise.resolve(new Response(status === 204 ? null : body, { status }))));
}

function sent(): [string, RequestInit] {
  return vi.mocked(fetch).mock.calls[0] as [string, RequestInit];
}

afterEach(() => vi.unstubAllGlobals());

test("a body goes out as JSON with the CSRF token of the cookie", async () => {
  document.cookie = "csrftoken=abc123";
  answer(201, '{"id": 7}');
  expect(await post("/api/maps/", { name: "Town" })).toEqual({ id: 7 });
  const [url, init] = sent();
  expect(url).toBe("/api/maps/");
  expect(init.body).toBe('{"name":"Town"}');
  expect(init.headers).toMatchObject({ "X-CSRFToken": "abc123", "Content-Type": "application/json" });
});

test("an empty answer is undefined", async () => {
  answer(204, "");
  expect(await get("/api/x")).toBeUndefined();
});

test("a refusal carries code, message, fix and details", async () => {
  answer(409, '{"code": "conflict", "message": "Changed.", "fix": "Load again.", "details": {"current": 3}}');
  const error = await get("/api/x").catch((failure: unknown) => failure);
  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({ status: 409, code: "conflict", message: "Changed.", fix: "Load again.", details: { current: 3 } });
});

test("a refusal that is no JSON still says something", async () => {
  answer(502, "<html>bad gateway</html>");
  await expect(get("/api/x")).rejects.toMatchObject({ status: 502, message: "The server answered 502." });
});

test("a server that cannot be reached is an ApiError of status 0, an abort stays an abort", async () => {
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("failed")));
  await expect(get("/api/x")).rejects.toMatchObject({ status: 0, code: "offline" });
  vi.stubGlobal("fetch", () => Promise.reject(new DOMException("gone", "AbortError")));
  await expect(get("/api/x")).rejects.toMatchObject({ name: "AbortError" });
});
