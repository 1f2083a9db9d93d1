import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError } from "../../../src/ui/api";
import type { TaskRest } from "../../../src/label/tasks/rest";
import { Tasks } from "../../../src/label/tasks/tasks";
import type { TaskJson } from "../../../src/label/tasks/types";
import type { Lease } from "../../../src/label/types";
import { task } from "./make";

/** The server of one label set, as far as the page can tell. */
class Server {
  seq = 3;
  tasks = [task(1), task(2), task(3)];
  calls: string[] = [];
  refuse: ApiError | null = null;

  put(number: number, values: Partial<TaskJson["properties"]>): TaskJson {
    const made = task(number, { ...this.tasks[number - 1]?.properties, ...values, seq: ++this.seq });
    this.tasks[number - 1] = made;
    return made;
  }
  async work(id: string, action: string): Promise<TaskJson> {
    this.calls.push(`${action} ${id}`);
    if (this.refuse) throw this.refuse;
    const number = Number(id.slice(5));
    if (action === "finish") return this.put(number, { state: "done", token: null, lease_s: 0 });
    if (action === "acknowledge") return this.put(number, { must_read: false });
    const held = this.tasks[number - 1];
    if (action === "heartbeat" && held) return { ...held, properties: { ...held.properties, lease_s: 300 } };
    return this.put(number, { state: "in_progress", token: 1, lease_s: 300, leased: true });
  }
  readonly rest = {
    list: async (after: number) => ({ seq: this.seq, count: 3, features: this.tasks.filter(({ properties }) => properties.seq > after) }),
    next: async () => {
      const free = this.tasks.find(({ properties }) => properties.state === "todo");
      return free ? this.work(free.id, "claim") : null;
    },
    work: (id: string, body: { action: string }) => this.work(id, body.action),
    proposals: async () => [],
  } as unknown as TaskRest;
}

let server: Server;
let said: string[];
let leases: (Lease | null)[];
let settled: boolean;
let tasks: Tasks;

beforeEach(async () => {
  vi.useFakeTimers({ now: 1_000_000 });
  server = new Server();
  said = [];
  leases = [];
  settled = true;
  tasks = new Tasks({
    rest: server.rest, me: "2", mayLabel: true, mayReview: false, say: (message) => said.push(message), fit: () => undefined, place: () => [0, 0], viewArea: () => null,
    lease: (lease) => leases.push(lease), settled: async () => settled, now: () => Date.now(),
  });
  await tasks.start(document);
});
afterEach(() => {
  tasks.stop();
  vi.useRealTimers();
});

describe("one's own task", () => {
  it("is drawn under its lease until it is done, then comes the next", async () => {
    await tasks.next();
    expect(tasks.view.own?.number).toBe(1);
    expect(tasks.view.leaseEndsAt).toBe(1_300_000);
    expect(leases.at(-1)).toEqual({ id: "task 1", token: 1 });
    await tasks.finish();
    expect(server.calls).toEqual(["claim task 1", "finish task 1", "claim task 2"]);
    expect(leases.at(-1)).toEqual({ id: "task 2", token: 1 });
    expect(said).toEqual(["Task 1 is done."]);
  });

  it("waits until all that was drawn is stored", async () => {
    await tasks.next();
    settled = false;
    await tasks.finish();
    expect(server.calls).toEqual(["claim task 1"]);
    expect(said.at(-1)).toContain("Not everything is saved");
  });

  it("is kept alive while somebody is at work, and only then", async () => {
    await tasks.next();
    await vi.advanceTimersByTimeAsync(50_000);
    expect(server.calls.filter((call) => call.startsWith("heartbeat"))).toHaveLength(1);
    const ends = tasks.view.leaseEndsAt;
    await vi.advanceTimersByTimeAsync(200_000);
    expect(tasks.view.leaseEndsAt - ends).toBeLessThan(60_000);
    document.dispatchEvent(new Event("pointermove"));
    await vi.advanceTimersByTimeAsync(5_000);
    expect(tasks.view.leaseEndsAt).toBe(Date.now() + 300_000);
  });

  it("is given up at once where somebody else holds it by now", async () => {
    await tasks.next();
    server.put(1, { token: null, holder: { id: 9, name: "Cleo" } });
    await tasks.catchUp();
    expect(tasks.view.own).toBeNull();
    expect(leases.at(-1)).toBeNull();
    expect(said.at(-1)).toContain("not yours any more");
  });

  it("learns of it from a refusal too", async () => {
    await tasks.next();
    server.put(1, { token: null, holder: { id: 9, name: "Cleo" } });
    server.refuse = new ApiError(409, "lease_lost", "Your lease on task 1 has ended.", "Take the next one.");
    await tasks.extend();
    await vi.advanceTimersByTimeAsync(0);
    expect(said).toContain("Your lease on task 1 has ended. Take the next one.");
    expect(tasks.view.own).toBeNull();
  });

  it("is not done before the reviewer's note is read", async () => {
    await tasks.next();
    server.put(1, { must_read: true, note: "More" });
    await tasks.catchUp();
    await tasks.finish();
    expect(said.at(-1)).toContain("note first");
    await tasks.acknowledge();
    expect(tasks.view.own?.must_read).toBe(false);
  });

  it("that comes back from a reviewer is told to whoever did it, once", async () => {
    const [ben, cleo] = [{ id: 2, name: "Ben" }, { id: 9, name: "Cleo" }];
    server.put(1, { state: "done", done_by: ben });
    server.put(2, { state: "done", done_by: cleo });
    await tasks.catchUp();
    for (const number of [1, 2]) server.put(number, { state: "returned", reviewed_by: cleo, note: "More" });
    await tasks.catchUp();
    server.put(1, { priority: 3 });
    await tasks.catchUp();
    expect(said).toEqual(["Task 1 came back to you. Cleo left a note to read."]);
  });

  it("is found again by a page that is loaded anew", async () => {
    server.put(2, { state: "in_progress", token: 7, lease_s: 120 });
    await tasks.catchUp();
    expect(tasks.view.own?.number).toBe(2);
    expect(leases.at(-1)).toEqual({ id: "task 2", token: 7 });
  });
});

it("a ring that comes while the list is read is not lost", async () => {
  const first = tasks.catchUp();
  server.put(3, { state: "done" });
  void tasks.catchUp();
  await first;
  await vi.advanceTimersByTimeAsync(0);
  expect(tasks.view.list.tasks.get("task 3")?.state).toBe("done");
});
