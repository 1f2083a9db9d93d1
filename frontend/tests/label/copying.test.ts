import { expect, test, vi } from "vitest";
import type { App } from "../../src/label/app";
import { Copying, saidOfCopies } from "../../src/label/imagery/copying";
import type { Copied, CopyingOptions } from "../../src/label/imagery/copying";
import { ApiError } from "../../src/ui/api";

const COPIED: Copied = { label_set: "other", name: "Crowns, Spring", url: "/label/other/", copied: 2, already: 0, deleted: 0, refused: [] };

interface Case {
  readonly second?: boolean;
  readonly chosen?: readonly string[];
  readonly inView?: readonly string[];
  readonly truncated?: boolean;
  readonly settled?: boolean;
  readonly send?: CopyingOptions["send"];
}

function made({ second = true, chosen = [], inView = [], truncated = false, settled = true, send }: Case): { copying: Copying; said: string[]; send: CopyingOptions["send"]; links: unknown[] } {
  const said: string[] = [];
  const links: unknown[] = [];
  const sending = send ?? vi.fn<CopyingOptions["send"]>().mockResolvedValue(COPIED);
  const copying = new Copying({
    mayCopy: true, from: null, inView: () => inView, send: sending, onCopied: () => undefined,
    imagery: { view: { second: second ? { id: "spring", name: "Spring", acquired_at: "2018-04-02T00:00:00Z" } : null } } as unknown as CopyingOptions["imagery"],
    app: { chosen: () => chosen.map((id) => ({ id })), settled: () => Promise.resolve(settled), view: { doc: { truncated } } } as unknown as App,
    say: (message, _tone, link) => {
      said.push(message);
      if (link) links.push(link);
    },
  });
  return { copying, said, send: sending, links };
}

test("the selected are copied at once, all in view once that was confirmed", async () => {
  const some = made({ chosen: ["a"], inView: ["a", "b"] });
  expect(some.copying.begin()).toBe(true);
  await vi.waitFor(() => expect(some.said).toEqual(["2 samples copied into “Crowns, Spring”."]));
  expect(some.send).toHaveBeenCalledExactlyOnceWith("spring", ["a"]);
  expect(some.links).toEqual([{ href: "/label/other/", label: "Open it" }]);
  expect(some.copying.view).toMatchObject({ busy: false, done: { imagery: "spring", url: "/label/other/" } });
  const all = made({ inView: ["a", "b"] });
  all.copying.begin();
  expect([all.copying.view.asking, all.copying.where]).toEqual([["a", "b"], "2 Apr 2018, Spring"]);
  expect(all.send).not.toHaveBeenCalled();
  await all.copying.confirm();
  expect(all.send).toHaveBeenCalledExactlyOnceWith("spring", ["a", "b"]);
});

test("nothing is sent where there is no other date, nothing to copy, too much, or something is not saved", async () => {
  expect(made({ second: false, chosen: ["a"] }).copying.begin()).toBe(false);
  for (const found of [{}, { inView: ["a"], truncated: true }, { inView: Array.from({ length: 5001 }, String) }]) {
    const { copying, said, send } = made(found);
    copying.begin();
    expect([said.length, copying.view.asking]).toEqual([1, null]);
    expect(send).not.toHaveBeenCalled();
  }
  const unsaved = made({ chosen: ["a"], settled: false });
  unsaved.copying.begin();
  await vi.waitFor(() => expect(unsaved.said[0]).toContain("not saved yet"));
  expect(unsaved.send).not.toHaveBeenCalled();
});

test("a refusal is told, and copying can be tried again", async () => {
  const send = vi.fn<CopyingOptions["send"]>().mockRejectedValueOnce(new ApiError(404, "not_found", "There is no such imagery layer.")).mockResolvedValue(COPIED);
  const { copying, said } = made({ chosen: ["a"], send });
  copying.begin();
  await vi.waitFor(() => expect(copying.view.busy).toBe(false));
  copying.begin();
  await vi.waitFor(() => expect(said).toHaveLength(2));
  expect(said[0]).toContain("no such imagery");
});

test("what became of the samples is said in words", () => {
  const done = { ...COPIED, copied: 0, already: 1, deleted: 2, refused: [{ message: "The class Water is retired.", count: 3 }] };
  expect(saidOfCopies(done)).toBe("Nothing new was copied into “Crowns, Spring”. 1 was there already. 2 were deleted there and stay so. 3 not copied: The class Water is retired.");
});
