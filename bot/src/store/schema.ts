import type { Generated } from "kysely";
import type { Migration } from "./sqlite.ts";

/** What people wrote is in the columns of type Uint8Array, sealed. Instants are ms since the epoch. */
export interface StoreSchema {
  /** Every update of the last two days: whoever delivers one twice is answered once. */
  updates: {
    update_id: number;
    /** Until it is handled. */
    body: Uint8Array | null;
    attempts: number;
    due_at: number;
    received_at: number;
  };
  places: { chat_id: number; thread_id: number; model: string };
  turns: {
    seq: Generated<number>;
    id: string;
    chat_id: number;
    thread_id: number;
    user_id: number;
    question_id: number;
    language: string;
    state: "open" | "answered" | "failed";
    question: Uint8Array;
    answer: Uint8Array | null;
    /** In groups: the message that becomes the answer. */
    placeholder_id: number | null;
    expires_at: number;
  };
  outbox: {
    seq: Generated<number>;
    id: string;
    /** Messages of a chat leave by rank, then by seq. */
    rank: number;
    chat_id: number;
    thread_id: number;
    body: Uint8Array;
    attempts: number;
    due_at: number;
    expires_at: number;
  };
  settings: { name: string; value: Uint8Array };
  /** Payments in Stars: a book, which nobody's /forget erases; no words are in it. */
  payments: {
    seq: Generated<number>;
    charge_id: string;
    user_id: number;
    stars: number;
    payload: string;
    language: string;
    state: "paid" | "credited" | "refunding" | "refunded";
    at: number;
  };
}

export const storeMigrations: readonly Migration[] = [
  `CREATE TABLE updates (
     update_id INTEGER PRIMARY KEY, body BLOB, attempts INTEGER NOT NULL, due_at INTEGER NOT NULL, received_at INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX updates_unhandled ON updates (update_id) WHERE body IS NOT NULL;
   CREATE INDEX updates_by_age ON updates (received_at);
   CREATE TABLE places (
     chat_id INTEGER NOT NULL, thread_id INTEGER NOT NULL, model TEXT NOT NULL, PRIMARY KEY (chat_id, thread_id)
   ) STRICT;
   CREATE TABLE turns (
     seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
     chat_id INTEGER NOT NULL, thread_id INTEGER NOT NULL, user_id INTEGER NOT NULL, question_id INTEGER NOT NULL,
     language TEXT NOT NULL, state TEXT NOT NULL, question BLOB NOT NULL, answer BLOB, placeholder_id INTEGER,
     expires_at INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX turns_of_a_place ON turns (chat_id, thread_id, seq);
   CREATE INDEX turns_by_end ON turns (expires_at);
   CREATE TABLE outbox (
     seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, rank INTEGER NOT NULL,
     chat_id INTEGER NOT NULL, thread_id INTEGER NOT NULL, body BLOB NOT NULL, attempts INTEGER NOT NULL, due_at INTEGER NOT NULL, expires_at INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX outbox_of_a_chat ON outbox (chat_id, rank, seq);
   CREATE TABLE settings (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;`,
  `CREATE TABLE payments (
     seq INTEGER PRIMARY KEY AUTOINCREMENT, charge_id TEXT NOT NULL UNIQUE, user_id INTEGER NOT NULL,
     stars INTEGER NOT NULL, payload TEXT NOT NULL, language TEXT NOT NULL, state TEXT NOT NULL, at INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX payments_of_a_person ON payments (user_id, at);
   CREATE INDEX unfinished_payments ON payments (at) WHERE state IN ('paid', 'refunding');`,
];
