// A small server in memory with the rules of the real one: versions, op_ids, atomic batches, a gapless log.
import type { Rest } from "../../src/label/sync";
import type { Live, LiveHandlers } from "../../src/ui/live";
import { ApiError } from "../../src/ui/api";
import type { Sample } from "../../src/label/types";
import type { EditJson, EditRowJson, FeatureJson, ResultJson, ServerMessage } from "../../src/label/wire";

export function featureJson(sample: Sample, deleted = false): FeatureJson {
  return {
    type: "Feature", id: sample.id, geometry: sample.geometry, properties: sample.properties,
    meta: { fid: 1, version: sample.version, class_value: sample.classValue, score: null, source: "human", verified: true, deleted, updated_by: { id: 1, name: "ana" } },
  };
}

export class FakeServer {
  readonly features = new Map<string, { sample: Sample; deleted: boolean }>();
  readonly rows: EditRowJson[] = [];
  readonly sockets = new Set<LiveHandlers<ServerMessage>>();
  /** HTTP and sockets are cut. */
  down = false;
  /** Edits are stored, but their answers get lost. */
  mute = false;
  saves = 0;
  /** Tokens of leases that have passed to somebody else. */
  readonly late = new Set<number>();
  /** Why an edit's place is closed; "": it is open. */
  closed: (edit: EditJson) => string = () => "";

  /** A colleague is storing a lot. */
  busy = false;
  /** Nobody here may draw. */
  denied = false;
  /** What everybody is here. */
  role = "labeler";

  constructor(samples: readonly Sample[] = []) {
    for (const sample of samples) this.features.set(sample.id, { sample, deleted: false });
  }

  get seq(): number {
    return this.rows.at(-1)?.seq ?? 0;
  }

  readonly rest: Rest = {
    samples: async () => {
      this.reach();
      const living = [...this.features.values()].filter(({ deleted }) => !deleted);
      return { features: living.map(({ sample }) => featureJson(sample)), seq: this.seq, truncated: false };
    },
    log: async (after) => {
      this.reach();
      return { edits: this.rows.filter(({ seq }) => seq > after), seq: this.seq, resync: false };
    },
    save: async (edits) => {
      this.reach();
      if (this.denied) throw new ApiError(403, "denied", "Viewers may not do this.", "Ask an owner.");
      const results = this.apply(edits);
      if (this.mute) throw new ApiError(0, "offline", "cut");
      return results;
    },
  };

  connect = (handlers: LiveHandlers<ServerMessage>): Live => {
    const open = (): void => {
      this.sockets.add(handlers);
      handlers.onState?.("live");
    };
    if (!this.down) queueMicrotask(open);
    return {
      send: (message) => {
        if (!this.sockets.has(handlers)) return false;
        queueMicrotask(() => this.command(handlers, message as { type: string; after?: number; edits?: EditJson[] }));
        return true;
      },
      stop: () => void this.sockets.delete(handlers),
    };
  };

  cut(): void {
    this.down = true;
    for (const handlers of this.sockets) handlers.onState?.("offline");
    this.sockets.clear();
  }

  heal(...clients: LiveHandlers<ServerMessage>[]): void {
    this.down = false;
    for (const handlers of clients) {
      this.sockets.add(handlers);
      handlers.onState?.("live");
    }
  }

  private reach(): void {
    if (this.down) throw new ApiError(0, "offline", "The server cannot be reached.");
  }

  private command(handlers: LiveHandlers<ServerMessage>, message: { type: string; after?: number; edits?: EditJson[] }): void {
    if (!this.sockets.has(handlers)) return;
    if (message.type === "hello") {
      handlers.onMessage({ type: "welcome", seq: this.seq, role: this.role, members: [] });
      const edits = this.rows.filter(({ seq }) => seq > (message.after ?? 0));
      if (edits.length) handlers.onMessage({ type: "edits", edits, seq: this.seq });
    }
    if (message.type === "edit" && this.denied) {
      this.saves += 1;
      handlers.onMessage({ type: "error", code: "denied", message: "Viewers may not do this.", fix: "Ask an owner." });
    } else if (message.type === "edit" && this.busy) {
      handlers.onMessage({ type: "error", code: "busy", message: "Somebody is storing a lot here just now.", fix: "Try again in a moment." });
    } else if (message.type === "edit") {
      const results = this.apply(message.edits ?? []);
      if (!this.mute) handlers.onMessage({ type: "results", results });
    }
  }

  /** Store a batch whole or not at all, and tell every socket. */
  apply(edits: readonly EditJson[]): ResultJson[] {
    this.saves += 1;
    const judged = edits.map((edit) => this.judge(edit));
    const failed = judged.some((one) => one !== null && one.status !== "ok" && one.status !== "proposed");
    const from = this.seq;
    const results = edits.map((edit, i): ResultJson => {
      const verdict = judged[i] ?? null;
      if (verdict) return verdict;
      if (failed) return { op_id: edit.op_id, status: "aborted", seq: null, version: null, feature: null, error: null };
      return this.store(edit);
    });
    const fresh = this.rows.filter(({ seq }) => seq > from);
    if (fresh.length && !this.mute) for (const handlers of this.sockets) handlers.onMessage({ type: "edits", edits: fresh, seq: this.seq });
    return results;
  }

  private judge(edit: EditJson): ResultJson | null {
    const done = this.rows.find(({ op_id }) => op_id === edit.op_id);
    if (done) return { op_id: edit.op_id, status: "ok", seq: done.seq, version: done.version, feature: done.feature, error: null };
    const now = this.features.get(edit.id);
    const version = now?.sample.version ?? 0;
    const answer = (status: "conflict" | "gone" | "proposed"): ResultJson => ({
      op_id: edit.op_id, status, seq: null, version, feature: now ? featureJson(now.sample, now.deleted) : null,
      error: { code: status, message: status, fix: "" },
    });
    if (edit.task && this.late.has(edit.task.token)) return answer("proposed");
    if (edit.action !== "create" && (!now || now.deleted)) return answer("gone");
    if (edit.base_version !== version || (edit.action === "create" && now && !now.deleted)) return answer("conflict");
    const closed = this.closed(edit);
    if (closed) return { op_id: edit.op_id, status: "invalid", seq: null, version: null, feature: null, error: { code: closed, message: "It is closed here.", fix: "Take a task." } };
    if (edit.class_value === 99) return { op_id: edit.op_id, status: "invalid", seq: null, version: null, feature: null, error: { code: "class_unknown", message: "The layer has no class 99.", fix: "" } };
    return null;
  }

  private store(edit: EditJson): ResultJson {
    const now = this.features.get(edit.id);
    const geometry = edit.geometry ?? now?.sample.geometry ?? { type: "Point", coordinates: [0, 0] };
    const sample: Sample = {
      id: edit.id, geometry, classValue: edit.class_value ?? now?.sample.classValue ?? null, properties: edit.properties ?? now?.sample.properties ?? {},
      version: (now?.sample.version ?? 0) + 1, fid: 1, score: null, source: "human", verified: true, updatedBy: "ana",
    };
    const deleted = edit.action === "delete";
    this.features.set(edit.id, { sample, deleted });
    const feature = deleted ? null : featureJson(sample);
    const row: EditRowJson = { seq: this.seq + 1, op_id: edit.op_id, id: edit.id, action: edit.action, version: sample.version, feature };
    this.rows.push(row);
    return { op_id: edit.op_id, status: "ok", seq: row.seq, version: row.version, feature, error: null };
  }
}
