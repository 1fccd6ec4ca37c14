import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import type { Conversation, Head, Turn } from "./turn.ts";

/** Where conversations are kept. */
export interface ConversationShelf {
  /** Newest first. */
  readonly list: () => Promise<readonly Head[]>;
  readonly turns: (id: string) => Promise<readonly Turn[]>;
  readonly put: (conversation: Conversation) => Promise<void>;
  readonly remove: (id: string) => Promise<void>;
  readonly clear: () => Promise<void>;
}

interface Schema extends DBSchema {
  heads: { key: string; value: Head };
  turns: { key: string; value: { readonly id: string; readonly turns: readonly Turn[] } };
}

/**
 * A database that has not opened by then is treated as one that never will. Nothing waits for it: a person writes
 * meanwhile, and what was said is kept as soon as it is open.
 */
const openWithinMs = 15_000;

/** A person's database: one browser may hold several accounts of Telegram, and nobody reads another's conversations. */
export const shelfName = (user: number | undefined): string => `bombyx/${user ?? "nobody"}`;

/**
 * This device's own database; nothing of it leaves the device.
 * @throws whatever the browser's storage fails with, from every call; a private window may have none at all.
 */
export async function openDeviceShelf(name: string): Promise<ConversationShelf> {
  const database = await withinMs(
    openDB<Schema>(name, 1, {
      upgrade(fresh) {
        fresh.createObjectStore("heads", { keyPath: "id" });
        fresh.createObjectStore("turns", { keyPath: "id" });
      },
    }),
    openWithinMs,
  );
  return shelfOf(database);
}

function shelfOf(database: IDBPDatabase<Schema>): ConversationShelf {
  const both = ["heads", "turns"] as const;
  return {
    async list() {
      const heads = await database.getAll("heads");
      return heads.sort((a, b) => b.changedAt - a.changedAt);
    },
    async turns(id) {
      return (await database.get("turns", id))?.turns ?? [];
    },
    async put({ id, title, changedAt, turns }) {
      const change = database.transaction(both, "readwrite");
      await Promise.all([
        change.objectStore("heads").put({ id, title, changedAt }),
        change.objectStore("turns").put({ id, turns }),
        change.done,
      ]);
    },
    async remove(id) {
      const change = database.transaction(both, "readwrite");
      await Promise.all([...both.map((store) => change.objectStore(store).delete(id)), change.done]);
    },
    async clear() {
      const change = database.transaction(both, "readwrite");
      await Promise.all([...both.map((store) => change.objectStore(store).clear()), change.done]);
    },
  };
}

/** For a device whose storage fails: everything works, until the page closes. */
export function memoryShelf(): ConversationShelf {
  const kept = new Map<string, Conversation>();
  return {
    list: async () =>
      [...kept.values()]
        .map(({ id, title, changedAt }) => ({ id, title, changedAt }))
        .sort((a, b) => b.changedAt - a.changedAt),
    turns: async (id) => kept.get(id)?.turns ?? [],
    put: async (conversation) => void kept.set(conversation.id, conversation),
    remove: async (id) => void kept.delete(id),
    clear: async () => kept.clear(),
  };
}

async function withinMs<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`The device's storage did not open within ${ms} ms.`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
