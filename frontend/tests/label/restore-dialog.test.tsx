import { render } from "preact";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { RestoreDialog } from "../../src/label/restore-dialog";

const TARGET = { at: "2026-11-23T10:00:00Z", said: "To how it was at ten." };
/** The set as the server has it: its last number, and how many would be removed. */
let now: { seq: number; removed: number; left_out: number };
let asked: string[];
let place: HTMLElement;
let closed: number;

beforeEach(() => {
  [now, asked, closed] = [{ seq: 12, removed: 1, left_out: 0 }, [], 0];
  vi.stubGlobal("fetch", async (url: string, options: { method?: string; body?: string } = {}) => {
    const body = options.body ? (JSON.parse(options.body) as { seq: number; base: number }) : null;
    asked.push(`${options.method ?? "GET"} ${url} ${options.body ?? ""}`.trim());
    if (body && body.base !== now.seq) return answer({ code: "changed_since", message: "The layer has changed.", fix: "Look again." }, 409);
    return answer({ target: 7, brought_back: 0, changed_back: 0, changes: now.removed, ...now });
  });
  place = document.createElement("div");
  document.body.append(place);
});
afterEach(() => {
  render(null, place);
  document.body.replaceChildren();
  vi.unstubAllGlobals();
});

function answer(body: unknown, status = 200): Response {
  return new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } });
}

function open(): void {
  render(<RestoreDialog layerUrl="/api/layers/l/" target={TARGET} onClose={() => (closed += 1)} />, place);
}

function submit(): void {
  const form = place.querySelector("form");
  if (!form) throw new Error("no form");
  form.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
}

const text = (): string => place.textContent;

it("restores nothing where somebody was quicker, shows what would change now, and restores that", async () => {
  open();
  await vi.waitFor(() => expect(text()).toContain("1 sample will be as it was then"));
  expect(text()).toContain("To how it was at ten.");
  expect(text()).toContain("1 added since, removed");
  expect(text()).not.toContain("brought back");
  // A colleague draws two more while the dialog is open.
  now = { seq: 14, removed: 3, left_out: 0 };
  submit();
  await vi.waitFor(() => expect(text()).toContain("3 samples will be as they were then"));
  expect(text()).toContain("Somebody changed the set meanwhile. Nothing was restored.");
  expect(closed).toBe(0);
  submit();
  await vi.waitFor(() => expect(closed).toBe(1));
  // The moment is asked for once: later looks name the number that it stood for, and each base is that of the figures shown.
  expect(asked).toEqual([
    `GET /api/layers/l/restore?at=${encodeURIComponent(TARGET.at)}`,
    'POST /api/layers/l/restore {"seq":7,"base":12}',
    "GET /api/layers/l/restore?seq=7",
    'POST /api/layers/l/restore {"seq":7,"base":14}',
  ]);
});

it("says what stays away because only tasks are labelled there", async () => {
  now = { seq: 12, removed: 0, left_out: 2 };
  open();
  await vi.waitFor(() => expect(text()).toContain("2 samples in areas that are labelled task by task now stay away"));
  expect(text()).not.toContain("as it was then already");
  expect([...place.querySelectorAll("button")].find(({ textContent }) => textContent === "Restore")?.disabled).toBe(true);
});
