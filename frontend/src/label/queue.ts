// Operations that are not yet saved, kept in IndexedDB until the server has them: they outlive reloads and crashes.

import { openDB } from "idb";
import type { DBSchema, IDBPDatabase } from "idb";
import type { Id, Operation } from "./types";

interface Row {
  readonly place: string;
  readonly opId: Id;
  readonly order: number;
  readonly operation: Operation;
}

interface Schema extends DBSchema {
  operations: { key: [string, Id]; value: Row; indexes: { place: string } };
}

/** The operations of one person on one layer. Each change is on disk when its promise resolves. */
export interface Queue {
  load(): Promise<Operation[]>;
  add(operations: readonly Operation[]): Promise<void>;
  remove(opIds: readonly Id[]): Promise<void>;
  stop(): void;
}

/** Open the queue of a person on a layer; another person in the same browser has another one. */
export async function openQueue(userId: string, layerId: Id): Promise<Queue> {
  const place = `${userId}/${layerId}`;
  const database: IDBPDatabase<Schema> = await openDB<Schema>("quadrat-label", 1, {
    upgrade: (db) => {
      db.createObjectStore("operations", { keyPath: ["place", "opId"] }).createIndex("place", "place");
    },
    // Another tab wants a newer layout: let it.
    blocking: () => database.close(),
  });
  return {
    load: async () => {
      const rows = await database.getAllFromIndex("operations", "place", place);
      return rows.sort((a, b) => a.order - b.order).map(({ operation }) => operation);
    },
    add: async (operations) => {
      const change = database.transaction("operations", "readwrite", { durability: "strict" });
      for (const operation of operations) void change.store.put({ place, opId: operation.opId, order: operation.order, operation });
      await change.done;
    },
    remove: async (opIds) => {
      const change = database.transaction("operations", "readwrite");
      for (const opId of opIds) void change.store.delete([place, opId]);
      await change.done;
    },
    stop: () => database.close(),
  };
}
