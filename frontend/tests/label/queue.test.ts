import "fake-indexeddb/auto";
import { expect, it } from "vitest";
import { openQueue } from "../../src/label/queue";
import { operation, square } from "./make";

it("keeps operations in the order they were made until they are removed", async () => {
  const queue = await openQueue("1", "layer");
  const made = [operation("create", "a", { geometry: square(0, 0) }), operation("delete", "a"), operation("create", "b", { geometry: square(1, 1) })];
  await queue.add([...made].reverse());
  queue.stop();
  const again = await openQueue("1", "layer");
  expect(await again.load()).toEqual(made);
  await again.remove([made[0]?.opId ?? ""]);
  expect(await again.load()).toEqual(made.slice(1));
  again.stop();
});

it("keeps people and layers apart", async () => {
  const mine = await openQueue("7", "layer-a");
  await mine.add([operation("delete", "x")]);
  for (const [user, layer] of [["8", "layer-a"], ["7", "layer-b"]] as const) {
    const other = await openQueue(user, layer);
    expect(await other.load()).toEqual([]);
    other.stop();
  }
  mine.stop();
});
