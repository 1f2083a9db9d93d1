import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { droppedGroup, droppedLayer, gathered, groupRenamed, linesOf, stepped, withLayout } from "../../src/maps/layout";
import type { Layout, PlacedLayer } from "../../src/maps/layout";
import { LayoutEditor, QUIET_MS } from "../../src/maps/layout-editor";
import type { MapJson } from "../../src/maps/types";

interface Item {
  id: string;
  group: string;
}
const items = (text: string): Item[] => text.split(" ").map((word) => ({ id: word[0] ?? "", group: word.slice(1) }));
const written = (list: readonly Item[]): string => list.map(({ id, group }) => id + group).join(" ");
const pick = (list: readonly Item[], id: string): Item => list.find((item) => item.id === id) ?? { id, group: "" };

test("layers of a group stand together", () => {
  expect(written(gathered(items("aG b cG")))).toBe("aG cG b");
  expect(linesOf(items("a bG cG d")).map((line) => ("head" in line ? line.head : line.item.id))).toEqual(["a", "G", "b", "c", "d"]);
});

test("a layer dropped between two of a group joins it; at its end the indent decides", () => {
  const list = items("a bG cG d"); // lines without a: G b c d
  const a = pick(list, "a");
  expect(written(droppedLayer(list, a, 0, true))).toBe("a bG cG d");
  expect(written(droppedLayer(list, a, 1, false))).toBe("aG bG cG d");
  expect(written(droppedLayer(list, a, 2, false))).toBe("bG aG cG d");
  expect(written(droppedLayer(list, a, 3, false))).toBe("bG cG a d");
  expect(written(droppedLayer(list, a, 3, true))).toBe("bG cG aG d");
  expect(written(droppedGroup(list, "G", 0))).toBe("bG cG a d");
});

test("arrow keys go into a group at its border, through it and out again", () => {
  let list = items("bG cG d");
  const path = [written(list)];
  for (let step = 0; step < 4; step++) {
    list = stepped(list, pick(list, "d"), -1);
    path.push(written(list));
  }
  expect(path).toEqual(["bG cG d", "bG cG dG", "bG dG cG", "dG bG cG", "d bG cG"]);
  expect(written(stepped(list, pick(list, "d"), -1))).toBe("d bG cG");
});

function placed(source: string, group = ""): PlacedLayer {
  return { kind: "features", source, title: "", visible: true, opacity: 1, style: {}, group };
}

function of(...layers: PlacedLayer[]): Layout {
  return { basemap: "", layers };
}

function map(version: number, { basemap, layers: rows }: Layout): MapJson {
  const layers = rows.map((item, id) => ({ ...item, id, kind: "features", features: { id: item.source } }));
  return { id: "m", version, layers, basemap: { choice: basemap, shown: null } } as unknown as MapJson;
}

test("a group is renamed, or joined to another", () => {
  expect(groupRenamed(of(placed("a", "A"), placed("b"), placed("c", "C")), "C", "A").layers.map((item) => item.source)).toEqual(["a", "c", "b"]);
});

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function edited(): { editor: LayoutEditor; sent: { layout: Layout; version: number }[]; answer: { version: number; fail: boolean } } {
  const sent: { layout: Layout; version: number }[] = [];
  const answer = { version: 1, fail: false };
  const editor = new LayoutEditor(map(1, of(placed("a"), placed("b"))), {
    write: (layout, version) => {
      sent.push({ layout, version });
      if (answer.fail) return Promise.reject(new Error("conflict"));
      answer.version += 1;
      return Promise.resolve(map(answer.version, layout));
    },
    reload: () => Promise.resolve(map(40, of(placed("z")))),
    accept: (fresh) => editor.see(fresh),
    failed: () => undefined,
    changed: () => undefined,
  });
  return { editor, sent, answer };
}

test("what is dragged is written once, shown at once, and is one step back", async () => {
  const { editor, sent } = edited();
  for (const opacity of [0.9, 0.8, 0.7]) editor.change(of({ ...placed("a"), opacity }, placed("b")), "opacity");
  expect(editor.overlay(map(1, of(placed("a"), placed("b")))).layers[0]?.opacity).toBe(0.7);
  await vi.advanceTimersByTimeAsync(QUIET_MS + 1);
  expect(sent.map(({ layout, version }) => [layout.layers[0]?.opacity, version])).toEqual([[0.7, 1]]);
  editor.undo();
  await vi.advanceTimersByTimeAsync(1);
  expect(sent[1]).toMatchObject({ version: 2, layout: { layers: [{ opacity: 1 }, {}] } });
  expect([editor.canUndo, editor.canRedo]).toEqual([false, true]);
  editor.redo();
  await vi.advanceTimersByTimeAsync(1);
  expect(sent[2]?.layout.layers[0]?.opacity).toBe(0.7);
});

test("nothing is taken back over what somebody else changed, and a conflict forgets the steps", async () => {
  const { editor, answer } = edited();
  editor.change(of(placed("b"), placed("a")));
  await vi.advanceTimersByTimeAsync(1);
  expect(editor.canUndo).toBe(true);
  editor.see(map(7, of(placed("b"))));
  expect(editor.canUndo).toBe(false);
  answer.fail = true;
  editor.change(of(placed("a")));
  await vi.advanceTimersByTimeAsync(1);
  expect([editor.canUndo, editor.now.layers[0]?.source]).toEqual([false, "z"]);
});

test("a layout that waits is written on what it was made of, not on what a colleague made meanwhile", async () => {
  const { editor, sent } = edited();
  editor.change(of({ ...placed("a"), opacity: 0.5 }, placed("b")), "opacity");
  editor.see(map(6, of(placed("a"), placed("b"), placed("c"))));
  await vi.advanceTimersByTimeAsync(QUIET_MS + 1);
  expect(sent.map(({ version }) => version)).toEqual([1]);
});

test("an older answer that comes late changes nothing", async () => {
  const { editor, sent } = edited();
  editor.change(of(placed("b"), placed("a")));
  await vi.advanceTimersByTimeAsync(1);
  editor.see(map(1, of(placed("a"), placed("b"))));
  editor.change(of(placed("a")));
  await vi.advanceTimersByTimeAsync(1);
  expect(sent[1]?.version).toBe(2);
});

test("a layer that comes back by an undo is shown when the server has answered", () => {
  expect(withLayout(map(1, of(placed("a"))), of(placed("a"), placed("gone"))).layers.length).toBe(1);
});

test("another basemap is a step of the layout, drawn when the server has answered", async () => {
  const { editor, sent } = edited();
  editor.change({ ...editor.now, basemap: "plain" });
  expect(editor.overlay(map(1, of(placed("a"), placed("b")))).basemap).toEqual({ choice: "plain", shown: null });
  await vi.advanceTimersByTimeAsync(1);
  expect([sent[0]?.layout.basemap, sent[0]?.layout.layers.length]).toEqual(["plain", 2]);
  editor.undo();
  await vi.advanceTimersByTimeAsync(1);
  expect(sent[1]?.layout.basemap).toBe("");
});
