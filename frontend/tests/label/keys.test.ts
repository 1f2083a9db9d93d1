import { beforeAll, describe, expect, it, vi } from "vitest";
import { answering, bound, capsOf, keyFor, rebound, storeBindings, storedBindings, withKey } from "../../src/label/bindings";
import { keyTable, listenToKeys } from "../../src/label/keys";
import type { KeyActions } from "../../src/label/keys";

describe("keys", () => {
  const calls: string[] = [];
  let stop = (): void => undefined;
  beforeAll(() => {
    const actions = new Proxy({} as KeyActions, {
      get: (_, name) => (...values: unknown[]) => {
        calls.push([String(name), ...values].join(" "));
        return true;
      },
    });
    stop = listenToKeys(keyTable(actions), document);
  });
  const press = (key: string, more: KeyboardEventInit = {}, target: EventTarget = document.body): string | undefined => {
    calls.length = 0;
    target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more }));
    return calls[0];
  };

  it.each([
    ["b", {}, "tool box"], ["1", {}, "nthClass 0"], ["0", {}, "nthClass 9"], ["z", { ctrlKey: true }, "undo"],
    ["Z", { ctrlKey: true, shiftKey: true }, "redo"], ["y", { metaKey: true }, "redo"], ["N", { shiftKey: true }, "step -1"], ["k", {}, "tool split"], ["j", {}, "command merge"], ["{", { shiftKey: true }, "command smaller"], ["б", { code: "KeyB" }, "tool box"],
    ["ArrowLeft", { altKey: true, shiftKey: true }, "nudge -10 0"], ["ArrowLeft", {}, "pan -1 0"], ["F", { shiftKey: true }, "fitAll"],
    ["f", {}, "fitSelected"], ["?", { shiftKey: true }, "toggle help"], ["Delete", {}, "remove"], [" ", {}, "placePoint"],
    ["Enter", {}, "finish"], ["Enter", { shiftKey: true }, "pickToo"],
  ] as [string, KeyboardEventInit, string][])("%s %o does %s", (key, more, expected) => {
    expect(press(key, more)).toBe(expected);
  });

  it("stay out of text fields, dialogs and the keys that buttons answer themselves", () => {
    document.body.innerHTML = '<input id="text"><button id="button"></button><div id="divider" role="slider"></div>';
    const [text, button, divider] = ["text", "button", "divider"].map((id) => document.getElementById(id));
    if (!text || !button || !divider) throw new Error("three elements");
    expect(press("ArrowLeft", {}, divider)).toBeUndefined();
    expect(press("b", {}, text)).toBeUndefined();
    expect(press("Enter", {}, button)).toBeUndefined();
    expect(press("b", {}, button)).toBe("tool box");
    const done = vi.fn();
    const end = listenToKeys([{ id: "done", keys: ["Ctrl+Enter"], group: "Tasks", label: "Done", run: done }], document);
    press("Enter", { ctrlKey: true }, button);
    end();
    expect(done).toHaveBeenCalledOnce();
    document.body.innerHTML = "<dialog open></dialog>";
    expect(press("b")).toBeUndefined();
    document.body.innerHTML = "";
    stop();
    expect(press("b")).toBeUndefined();
    vi.unstubAllGlobals();
  });
});

describe("a person's own keys", () => {
  const table = keyTable(new Proxy({} as KeyActions, { get: () => () => true }));

  it("while reviewing a key has one meaning", () => {
    const key = { label: "", run: () => true };
    const [cut, comment, both] = [{ ...key, id: "tool.cut", keys: ["C"], group: "Change" as const }, { ...key, id: "review.comment", keys: ["C"], group: "Review" as const }, { ...key, id: "redo", keys: ["C", "Ctrl+Y"], group: "Samples" as const }];
    const all = [comment, cut, both];
    expect(answering(all, false)).toEqual(all);
    expect(answering(all, true).map(({ keys }) => keys)).toEqual([["C"], [], ["Ctrl+Y"]]);
  });

  it("no two things have the same key", () => {
    const names = table.flatMap((key) => key.keys);
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
    expect(new Set(table.map(({ id }) => id)).size).toBe(table.length);
  });

  it("take a key from what had it, and say so on buttons", () => {
    const own = rebound(table, {}, "merge", "K");
    const now = bound(table, own ?? {});
    expect(keyFor(now, "K")?.id).toBe("merge");
    expect(now.find(({ id }) => id === "tool.split")?.keys).toEqual([]);
    expect(withKey("Merge", now, "merge")).toBe("Merge (K)");
    expect(withKey("Split", now, "tool.split")).toBe("Split");
    expect(keyFor(bound(table, {}), "K")?.id).toBe("tool.split");
  });

  it("leave the digits and arrows alone, and outlive the page", () => {
    expect(rebound(table, {}, "merge", "3")).toBeNull();
    storeBindings(localStorage, { merge: "Ctrl+Shift+M" });
    expect(storedBindings(localStorage)).toEqual({ merge: "Ctrl+Shift+M" });
    expect(capsOf("Ctrl+Shift+M")).toEqual(["Ctrl", "Shift", "M"]);
    expect(capsOf("+")).toEqual(["+"]);
    localStorage.clear();
    expect(storedBindings(localStorage)).toEqual({});
  });
});
