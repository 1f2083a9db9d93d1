import { render } from "preact";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { SchemaDialog } from "../../src/label/schema-dialog";
import { EMPTY } from "../../src/label/store";
import { Toolbar } from "../../src/label/toolbar";
import type { LabelClass } from "../../src/label/types";

const ROOF: LabelClass = { value: 1, name: "Roof", colour: "#1b9e77", position: 0, retired: false, shapes: ["polygon", "line", "point"] };

let place: HTMLElement;

beforeEach(() => {
  // The server keeps what it is sent.
  vi.stubGlobal("fetch", async (_: string, { body }: { body: string }) => {
    const { classes } = JSON.parse(body) as { classes: LabelClass[] };
    return new Response(JSON.stringify({ classes: classes.map((one, position) => ({ ...one, position })) }), { headers: { "Content-Type": "application/json" } });
  });
  place = document.createElement("div");
  document.body.append(place);
});
afterEach(() => {
  render(null, place);
  document.body.replaceChildren();
  vi.unstubAllGlobals();
});

function button(name: string): HTMLButtonElement {
  const found = [...place.querySelectorAll("button")].find((one) => one.ariaLabel === name || one.getAttribute("aria-label") === name);
  if (!found) throw new Error(`no button ${name}`);
  return found;
}

/** The names of the tools that are offered for classes. */
function tools(classes: readonly LabelClass[]): string[] {
  const bar = document.createElement("div");
  const nothing = (): void => undefined;
  const app = { mayEdit: true, set: nothing, setTool: nothing, fitSelected: nothing, deleteSelected: nothing };
  const view = { doc: { ...EMPTY, classes }, selected: new Set<string>(), tool: "select" as const, snapping: true, keepClear: false, labelsHidden: false };
  render(<Toolbar app={app} view={view} keys={[]} onFitAll={nothing} />, bar);
  return [...bar.querySelectorAll("button")].map((one) => one.getAttribute("aria-label") ?? "");
}

it("a class that is narrowed to areas is saved so, and tools for lines and points go", async () => {
  const saved: LabelClass[][] = [];
  render(<SchemaDialog classes={[ROOF]} url="/api/layers/l/classes" onClose={() => undefined} onSaved={(classes) => saved.push([...classes])} />, place);
  for (const shape of ["lines", "points"]) {
    button(`${shape}: yes`).click();
    await vi.waitFor(() => expect(button(`${shape}: no`).getAttribute("aria-pressed")).toBe("false"));
  }
  // The last one stays: a class that takes nothing could not be drawn.
  expect(button("areas: yes").disabled).toBe(true);
  place.querySelector("form")?.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
  await vi.waitFor(() => expect(saved).toHaveLength(1));
  expect(saved[0]).toMatchObject([{ value: 1, shapes: ["polygon"] }]);

  expect(tools([ROOF])).toEqual(expect.arrayContaining(["Draw polygons", "Draw lines", "Put points"]));
  const narrowed = tools(saved[0] ?? []);
  expect(narrowed).toEqual(expect.arrayContaining(["Draw polygons", "Paint", "Split by a line"]));
  expect(narrowed).not.toContain("Draw lines");
  expect(narrowed).not.toContain("Put points");
});
