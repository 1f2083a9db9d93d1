import { afterEach, describe, expect, it, vi } from "vitest";
import type { Queue } from "../../src/label/queue";
import { EMPTY } from "../../src/label/store";
import type { State } from "../../src/label/store";
import { Sync } from "../../src/label/sync";
import type { Connection } from "../../src/label/sync";
import type { Operation } from "../../src/label/types";
import type { Live, LiveHandlers } from "../../src/ui/live";
import type { EditJson, ServerMessage } from "../../src/label/wire";
import { operation, sample, square } from "./make";
import { FakeServer } from "./server";

const stops: (() => void)[] = [];
afterEach(() => {
  while (stops.length) stops.pop()?.();
  vi.useRealTimers();
});

/** A queue in memory that outlives its client, as IndexedDB does. */
function disk(): Queue & { readonly rows: Map<string, Operation> } {
  const rows = new Map<string, Operation>();
  return {
    rows,
    load: async () => [...rows.values()].sort((a, b) => a.order - b.order),
    add: async (operations) => operations.forEach((one) => rows.set(one.opId, one)),
    remove: async (opIds) => opIds.forEach((opId) => rows.delete(opId)),
    stop: () => undefined,
  };
}

interface Client {
  sync: Sync;
  state: State;
  connection: Connection;
  errors: string[];
  merged: (string | null)[];
  handlers: LiveHandlers<ServerMessage> | null;
}

async function client(server: FakeServer, queue: Queue = disk()): Promise<Client> {
  const made: Omit<Client, "sync"> = { state: EMPTY, connection: "connecting", errors: [], merged: [], handlers: null };
  const self = made as Client;
  self.sync = new Sync(
    {
      rest: server.rest,
      queue,
      bounds: () => null,
      connect: (handlers): Live => {
        self.handlers = handlers;
        return server.connect(handlers);
      },
      onState: (state) => (self.state = state),
      onConnection: (connection) => (self.connection = connection),
      onMembers: () => undefined,
      onCursor: () => undefined,
      onError: (message) => self.errors.push(message),
      onMerged: ({ updatedBy }) => self.merged.push(updatedBy),
    },
    EMPTY,
  );
  stops.push(() => self.sync.stop());
  await self.sync.start();
  await settle();
  return self;
}

async function settle(): Promise<void> {
  for (let i = 0; i < 50; i++) await Promise.resolve();
}

const moved = square(0.5, 0);
const grown = square(0, 0, 2);

describe("a connected client", () => {
  it("saves what is drawn and shows it to a colleague", async () => {
    const server = new FakeServer();
    const [ana, ben] = [await client(server), await client(server)];
    await ana.sync.edit([operation("create", "a", { geometry: moved, classValue: 2 })]);
    await settle();
    expect(ana.state.pending).toEqual([]);
    expect(ben.state.view.get("a")).toMatchObject({ classValue: 2, geometry: moved, version: 1 });
  });

  it("saves a chain of changes of one sample in order", async () => {
    const server = new FakeServer();
    const ana = await client(server);
    const first = operation("create", "a", { geometry: moved, classValue: 1, properties: {} });
    await ana.sync.edit([first]);
    for (const classValue of [2, 3, 4]) await ana.sync.edit([operation("update", "a", { classValue }, ana.state.view.get("a") ?? null)]);
    await settle();
    expect(server.rows.map(({ version }) => version)).toEqual([1, 2, 3, 4]);
    expect(server.features.get("a")?.sample.classValue).toBe(4);
  });

  it("sends the rest of a batch again when one of it is refused", async () => {
    const server = new FakeServer();
    const ana = await client(server);
    await ana.sync.edit([operation("create", "bad", { geometry: moved, classValue: 99 }), operation("create", "good", { geometry: moved, classValue: 1 })]);
    await settle();
    expect(ana.state.problems).toMatchObject([{ id: "bad" }]);
    expect([...server.features.keys()]).toEqual(["good"]);
    await ana.sync.discard(ana.state.problems[0]?.opId ?? "");
    expect(ana.state.pending).toEqual([]);
  });
});

describe("a place that was closed while somebody was offline", () => {
  const blind = (edit: EditJson): string => (edit.id.startsWith("in") ? "task_blind" : "");

  it("refuses what lies there, tells of each, keeps it through a reload, and saves the rest", async () => {
    const server = new FakeServer([sample("old")]);
    const queue = disk();
    const ana = await client(server, queue);
    server.cut();
    await ana.sync.edit([operation("create", "in1", { geometry: moved, classValue: 1 }), operation("create", "out", { geometry: moved, classValue: 1 })]);
    await ana.sync.edit([operation("update", "in1", { classValue: 2 }, ana.state.view.get("in1") ?? null)]);
    await ana.sync.edit([operation("create", "in2", { geometry: grown }), operation("update", "old", { classValue: 3 }, ana.state.view.get("old") ?? null)]);
    server.closed = blind;
    server.heal();
    const again = await client(server, queue);
    expect(again.state.problems.map(({ id, code }) => [id, code])).toEqual([["in1", "task_blind"], ["in2", "task_blind"]]);
    expect([...server.features.keys()].sort()).toEqual(["old", "out"]);
    expect(server.features.get("old")?.sample.classValue).toBe(3);
    // What is not saved is on the map still, and on disk, with what was made of it later.
    expect(again.state.view.get("in1")).toMatchObject({ classValue: 2 });
    expect([...queue.rows.values()].map(({ id }) => id).sort()).toEqual(["in1", "in1", "in2"]);
    await again.sync.discard(again.state.problems[0]?.opId ?? "");
    expect([again.state.view.has("in1"), queue.rows.size]).toEqual([false, 1]);
    // The cell is settled: what was kept goes in at last.
    server.closed = () => "";
    await again.sync.retry(null);
    await settle();
    expect([again.state.problems, again.state.pending, queue.rows.size, server.features.has("in2")]).toEqual([[], [], 0, true]);
  });

  it("keeps what somebody drew who may only look now, and sends it when asked to", async () => {
    vi.useFakeTimers();
    const server = new FakeServer();
    const queue = disk();
    const ana = await client(server, queue);
    server.denied = true;
    await ana.sync.edit([operation("create", "a", { geometry: moved, classValue: 1 })]);
    await settle();
    await ana.sync.edit([operation("update", "a", { classValue: 2 }, ana.state.view.get("a") ?? null)]);
    await vi.advanceTimersByTimeAsync(20_000);
    expect([server.saves, ana.errors, queue.rows.size]).toEqual([1, [], 2]);
    expect(ana.state.problems).toMatchObject([{ id: "a", code: "denied", message: "Viewers may not do this. Ask an owner." }]);
    server.denied = false;
    await ana.sync.retry(null);
    await settle();
    expect([ana.state.pending, queue.rows.size, server.features.get("a")?.sample.classValue]).toEqual([[], 0, 2]);
  });

  it.each(["by the socket that comes back", "by the socket that is open", "by HTTP"])("keeps what waits when its person may only look from now on, told %s", async (how) => {
    const server = new FakeServer();
    const queue = disk();
    const ana = await client(server, queue);
    const { handlers } = ana;
    server.cut();
    await ana.sync.edit([operation("create", "a", { geometry: moved, classValue: 1 })]);
    await settle();
    server.denied = true;
    server.role = how === "by the socket that comes back" ? "viewer" : "labeler";
    if (how === "by HTTP") {
      server.down = false;
      await ana.sync.edit([operation("create", "b", { geometry: grown, classValue: 1 })]);
    } else if (handlers) server.heal(handlers);
    if (how === "by the socket that is open") handlers?.onMessage({ type: "role", role: "viewer" });
    await settle();
    expect(ana.state.problems).toMatchObject(queue.rows.size === 2 ? [{ id: "a", code: "denied" }, { id: "b", code: "denied" }] : [{ id: "a", code: "denied" }]);
    expect([ana.connection === "refused", ana.errors, server.features.size]).toEqual([false, [], 0]);
    server.denied = false;
    await ana.sync.retry(null);
    await settle();
    expect([ana.state.pending, queue.rows.size]).toEqual([[], 0]);
  });

  it("takes what named no task under the one that is held by now", async () => {
    const server = new FakeServer();
    const queue = disk();
    const ana = await client(server, queue);
    server.closed = ({ task }) => (task?.token === 7 ? "" : "no_task");
    await ana.sync.edit([operation("create", "n", { geometry: moved })]);
    await ana.sync.edit([operation("update", "n", { classValue: 2 }, ana.state.view.get("n") ?? null)]);
    await settle();
    expect(ana.state.problems).toMatchObject([{ id: "n", code: "no_task" }]);
    await ana.sync.retry({ id: "t", token: 7 });
    await settle();
    expect([ana.state.pending, queue.rows.size, server.features.get("n")?.sample.classValue]).toEqual([[], 0, 2]);
  });
});

describe("two people on one sample", () => {
  it("class and geometry merge by themselves", async () => {
    const a = sample("a");
    const server = new FakeServer([a]);
    const [ana, ben] = [await client(server), await client(server)];
    const seen = ben.state.view.get("a") ?? null;
    await ana.sync.edit([operation("update", "a", { geometry: moved }, ana.state.view.get("a") ?? null)]);
    await settle();
    await ben.sync.edit([operation("update", "a", { classValue: 7 }, seen)]);
    await settle();
    expect(server.features.get("a")?.sample).toMatchObject({ classValue: 7, geometry: moved, version: 3 });
    expect(ben.state.conflicts).toEqual([]);
    expect(ben.merged).toHaveLength(1);
  });

  it.each(["mine", "theirs", "both"] as const)("two geometries wait for a decision: %s", async (choice) => {
    const server = new FakeServer([sample("a")]);
    const queue = disk();
    const [ana, ben] = [await client(server), await client(server, queue)];
    const seen = ben.state.view.get("a") ?? null;
    await ana.sync.edit([operation("update", "a", { geometry: grown }, ana.state.view.get("a") ?? null)]);
    await settle();
    await ben.sync.edit([operation("update", "a", { geometry: moved }, seen)]);
    await settle();
    expect(ben.state.conflicts).toMatchObject([{ fields: ["geometry"] }]);
    expect(queue.rows.size).toBe(1);
    await ben.sync.resolve(ben.state.conflicts[0]?.opId ?? "", choice);
    await settle();
    const stored = [...server.features.values()].map(({ sample: one }) => one.geometry);
    expect(stored).toEqual({ mine: [moved], theirs: [grown], both: [grown, moved] }[choice]);
    expect([ben.state.pending, queue.rows.size]).toEqual([[], 0]);
  });

  it("a deletion meets a change: the change can be kept as a new sample", async () => {
    const server = new FakeServer([sample("a")]);
    const [ana, ben] = [await client(server), await client(server)];
    const seen = ben.state.view.get("a") ?? null;
    await ana.sync.edit([operation("delete", "a", {}, ana.state.view.get("a") ?? null)]);
    await settle();
    await ben.sync.edit([operation("update", "a", { geometry: moved }, seen)]);
    await settle();
    expect(ben.state.conflicts).toMatchObject([{ theirs: null }]);
    await ben.sync.resolve(ben.state.conflicts[0]?.opId ?? "", "mine");
    await settle();
    expect([...server.features.values()].filter(({ deleted }) => !deleted).map(({ sample: one }) => one.geometry)).toEqual([moved]);
  });

  it("a deleted sample is restored under its own id, also when its tombstone is not known here", async () => {
    const server = new FakeServer([sample("a")]);
    const ana = await client(server);
    await ana.sync.edit([operation("delete", "a", {}, ana.state.view.get("a") ?? null)]);
    await settle();
    const late = await client(server);
    await late.sync.edit([operation("create", "a", { geometry: moved, classValue: 1, properties: {} })]);
    await settle();
    expect(server.features.get("a")).toMatchObject({ deleted: false, sample: { version: 3, geometry: moved } });
    expect(late.state.pending).toEqual([]);
  });
});

describe("a bad network", () => {
  it("keeps what is drawn offline through a reload and saves it once the network is back", async () => {
    const server = new FakeServer();
    const queue = disk();
    const before = await client(server, queue);
    server.cut();
    for (let i = 0; i < 5; i++) await before.sync.edit([operation("create", `s${i}`, { geometry: square(i, 0), classValue: 1 })]);
    await settle();
    expect([before.state.view.size, server.rows.length, queue.rows.size]).toEqual([5, 0, 5]);
    before.sync.stop();
    server.down = false;
    const after = await client(server, queue);
    await settle();
    expect(after.state.pending).toEqual([]);
    expect(server.rows.map(({ id }) => id)).toEqual(["s0", "s1", "s2", "s3", "s4"]);
    expect(queue.rows.size).toBe(0);
  });

  it("asks again by HTTP when the socket's answer does not come, and stores nothing twice", async () => {
    vi.useFakeTimers();
    const server = new FakeServer();
    const ana = await client(server);
    server.mute = true;
    await ana.sync.edit([operation("create", "a", { geometry: moved, classValue: 1 })]);
    await settle();
    expect([server.rows.length, ana.state.pending.length]).toEqual([1, 1]);
    server.mute = false;
    await vi.advanceTimersByTimeAsync(9_000);
    expect([server.rows.length, ana.state.pending.length]).toEqual([1, 0]);
  });

  it("sends again by itself, without a word, what came while a colleague was storing a lot", async () => {
    vi.useFakeTimers();
    const server = new FakeServer();
    const ana = await client(server);
    server.busy = true;
    await ana.sync.edit([operation("create", "a", { geometry: moved, classValue: 2 })]);
    await settle();
    expect([ana.state.pending.length, ana.state.sent.size]).toEqual([1, 0]);
    server.busy = false;
    await vi.advanceTimersByTimeAsync(1_500);
    expect([ana.state.pending, ana.errors]).toEqual([[], []]);
  });

  it("catches up by number after a cut, and merges what waited with what came meanwhile", async () => {
    vi.useFakeTimers();
    const server = new FakeServer([sample("a")]);
    const ana = await client(server);
    const handlers = ana.handlers;
    server.cut();
    await ana.sync.edit([operation("update", "a", { classValue: 4 }, ana.state.view.get("a") ?? null)]);
    server.apply([{ op_id: "x", action: "update", id: "a", base_version: 1, geometry: moved }]);
    if (handlers) server.heal(handlers);
    await settle();
    await vi.advanceTimersByTimeAsync(10);
    expect(server.features.get("a")?.sample).toMatchObject({ classValue: 4, geometry: moved, version: 3 });
    expect(ana.state.seq).toBe(2);
  });

  it("asks the log for what a lost message left out", async () => {
    const server = new FakeServer([sample("a")]);
    const ana = await client(server);
    const mute = [...server.sockets];
    server.sockets.clear();
    server.apply([{ op_id: "x", action: "update", id: "a", base_version: 1, class_value: 5 }]);
    mute.forEach((one) => server.sockets.add(one));
    server.apply([{ op_id: "y", action: "create", id: "b", base_version: 0, geometry: moved }]);
    await settle();
    expect([ana.state.seq, ana.state.view.get("a")?.classValue, ana.state.view.size]).toEqual([2, 5, 2]);
  });

  it("sends a socket's unanswered edits again when it comes back", async () => {
    const server = new FakeServer();
    const ana = await client(server);
    const handlers = ana.handlers;
    server.mute = true;
    await ana.sync.edit([operation("create", "a", { geometry: moved, classValue: 1 })]);
    await settle();
    server.cut();
    server.mute = false;
    if (handlers) server.heal(handlers);
    await settle();
    expect([ana.state.pending, server.rows.length, ana.state.view.get("a")?.version]).toEqual([[], 1, 1]);
  });

  it("starts without a server and loads when one answers", async () => {
    vi.useFakeTimers();
    const server = new FakeServer([sample("a")]);
    server.down = true;
    const ana = await client(server);
    await ana.sync.edit([operation("create", "b", { geometry: moved, classValue: 1 })]);
    expect([...ana.state.view.keys()]).toEqual(["b"]);
    server.down = false;
    await vi.advanceTimersByTimeAsync(6_000);
    expect([...ana.state.view.keys()].sort()).toEqual(["a", "b"]);
    await vi.advanceTimersByTimeAsync(6_000);
    expect(server.features.has("b")).toBe(true);
  });
});

it("a change whose task is somebody else's by now leaves the queue, and the samples stay as the server has them", async () => {
  const server = new FakeServer([sample("there")]);
  const queue = disk();
  const one = await client(server, queue);
  const lease = { id: "task", token: 1 };
  server.late.add(lease.token);
  const changed = { ...operation("update", "there", { classValue: 2 }, sample("there")), lease };
  await one.sync.edit([{ ...operation("create", "late", { geometry: square(5, 5) }), lease }, changed]);
  await vi.waitFor(() => expect(one.state.pending).toHaveLength(0));
  expect(queue.rows.size).toBe(0);
  expect(one.state.view.has("late")).toBe(false);
  expect(one.state.view.get("there")?.classValue).toBe(1);
  expect(server.seq).toBe(0);
});
