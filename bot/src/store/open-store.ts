import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Kysely } from "kysely";
import { Outbox } from "./outbox.ts";
import { Payments } from "./payments.ts";
import { Places } from "./places.ts";
import { type StoreSchema, storeMigrations } from "./schema.ts";
import { keepStoreKey, Sealer } from "./sealer.ts";
import { Settings } from "./settings.ts";
import { kyselyOver, openSqlite } from "./sqlite.ts";
import { Turns } from "./turns.ts";
import { Updates } from "./updates.ts";

export interface StoreOptions {
  readonly dataDir: string;
  /** @default the key in `dataDir`, made when there is none */
  readonly key?: Uint8Array | undefined;
  /** How long a conversation is kept. */
  readonly historyMs: number;
  readonly now: () => number;
}

/** The tables that change together. */
interface Tables {
  readonly turns: Turns;
  readonly outbox: Outbox;
}

export interface Store extends Tables {
  readonly updates: Updates;
  readonly places: Places;
  readonly settings: Settings;
  readonly payments: Payments;
  /** All of it happens, or nothing. */
  together<T>(change: (tables: Tables) => Promise<T>): Promise<T>;
  /** Erases everything of a chat: it blocked the bot, or asked for it. */
  eraseChat(chatId: number): Promise<void>;
  /** Erases what is over. */
  sweep(): Promise<void>;
  close(): Promise<void>;
}

/** Telegram delivers an update for a day; its number is remembered for two. */
const rememberUpdatesMs = 48 * 3_600_000;

/** @throws Error when the file cannot be opened, is of a newer schema, or was written with another key. */
export async function openStore({ dataDir, key, historyMs, now }: StoreOptions): Promise<Store> {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const sealer = new Sealer(key ?? keepStoreKey(dataDir));
  const database = openSqlite(join(dataDir, "bot.sqlite"), storeMigrations);
  const db = kyselyOver<StoreSchema>(database);
  const tables = (on: Kysely<StoreSchema>): Tables => ({
    turns: new Turns(on, sealer, now, historyMs),
    outbox: new Outbox(on, sealer, now, historyMs),
  });
  const settings = new Settings(db, sealer);
  try {
    await settings.checkKey();
  } catch (error) {
    await db.destroy();
    throw error;
  }
  /** The log still holds the pages that a deletion overwrote in the file. */
  const forgetLog = () => database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  const own = tables(db);
  return {
    ...own,
    updates: new Updates(db, sealer, now),
    places: new Places(db),
    settings,
    payments: new Payments(db, now),
    together: (change) => db.transaction().execute((transaction) => change(tables(transaction))),
    async eraseChat(chatId) {
      for (const table of ["turns", "outbox", "places"] as const) {
        await db.deleteFrom(table).where("chat_id", "=", chatId).execute();
      }
      forgetLog();
    },
    async sweep() {
      const at = now();
      await db.deleteFrom("turns").where("expires_at", "<=", at).execute();
      await db.deleteFrom("outbox").where("expires_at", "<=", at).execute();
      await db
        .deleteFrom("updates")
        .where("received_at", "<=", at - rememberUpdatesMs)
        .execute();
      forgetLog();
    },
    close: () => db.destroy(),
  };
}
