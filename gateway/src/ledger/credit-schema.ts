import { sql } from "kysely";
import type { Migration } from "../store/sqlite.ts";
import type { LedgerSchema } from "./schema.ts";

/** Tables of what is promised to people, and of what their accounts show. */
export interface CreditTables {
  /** What each Telegram user's requests of a UTC day have cost or hold, over all bots. */
  allowances: { user: bigint; day: bigint; nano: bigint };
  /** Held of the sponsor while open. */
  credit_offers: {
    credit: string;
    id: string;
    sponsor: string;
    nano: bigint;
    state: "open" | "sold" | "expired";
    expires_at: bigint;
  };
  /** `nano` is null for a refund that came before its payment. */
  star_payments: {
    charge: string;
    credit: string;
    sponsor: string;
    stars: bigint | null;
    nano: bigint | null;
    at: bigint;
    refunded_at: bigint | null;
    taken_nano: bigint;
    /** To be taken when the requests that hold it end. */
    pending_nano: bigint;
  };
  /** Of an account's requests; derived from attempts, kept so that 30 days are 30 rows. */
  spending_days: { account: string; day: bigint; spent_nano: bigint; free_nano: bigint; requests: bigint };
}

export const creditMigration: Migration<LedgerSchema> = (db) => [
  db.schema
    .alterTable("attempts")
    .addColumn("purse", "text", (column) => column.notNull().defaultTo("sponsor")),
  db.schema.alterTable("attempts").addColumn("allowance_user", "bigint"),
  db.schema.alterTable("attempts").addColumn("allowance_day", "bigint"),
  // The node's acknowledgement that the receipt made, so that it can be shown with it.
  db.schema.alterTable("attempts").addColumn("ack_n", "bigint"),
  db.schema.alterTable("attempts").addColumn("ack_nano", "bigint"),
  db.schema.alterTable("attempts").addColumn("ack_before", "text"),
  db.schema
    .createTable("allowances")
    .addColumn("user", "bigint", (column) => column.notNull())
    .addColumn("day", "bigint", (column) => column.notNull())
    .addColumn("nano", "bigint", (column) => column.notNull().check(sql`nano >= 0`))
    .addPrimaryKeyConstraint("one_allowance_a_day", ["user", "day"]),
  db.schema
    .createTable("credit_offers")
    .addColumn("credit", "text", (column) => column.notNull())
    .addColumn("id", "text", (column) => column.notNull())
    .addColumn("sponsor", "text", (column) => column.notNull())
    .addColumn("nano", "bigint", (column) => column.notNull().check(sql`nano > 0`))
    .addColumn("state", "text", (column) => column.notNull())
    .addColumn("expires_at", "bigint", (column) => column.notNull())
    .addPrimaryKeyConstraint("one_offer_per_id", ["credit", "id"])
    .addCheckConstraint("known_offer_state", sql`state IN ('open', 'sold', 'expired')`),
  sql`CREATE INDEX open_offers ON credit_offers (expires_at) WHERE state = 'open'`,
  db.schema
    .createTable("star_payments")
    .addColumn("charge", "text", (column) => column.primaryKey())
    .addColumn("credit", "text", (column) => column.notNull())
    .addColumn("sponsor", "text", (column) => column.notNull())
    .addColumn("stars", "bigint")
    .addColumn("nano", "bigint")
    .addColumn("at", "bigint", (column) => column.notNull())
    .addColumn("refunded_at", "bigint")
    .addColumn("taken_nano", "bigint", (column) => column.notNull())
    .addColumn("pending_nano", "bigint", (column) => column.notNull())
    .addCheckConstraint(
      "taken_back_at_most",
      sql`taken_nano >= 0 AND pending_nano >= 0 AND taken_nano + pending_nano <= coalesce(nano, 0)`,
    ),
  sql`CREATE INDEX pending_refunds ON star_payments (credit) WHERE pending_nano > 0`,
  db.schema
    .createTable("spending_days")
    .addColumn("account", "text", (column) => column.notNull())
    .addColumn("day", "bigint", (column) => column.notNull())
    .addColumn("spent_nano", "bigint", (column) => column.notNull())
    .addColumn("free_nano", "bigint", (column) => column.notNull())
    .addColumn("requests", "bigint", (column) => column.notNull())
    .addPrimaryKeyConstraint("one_row_a_day", ["account", "day"]),
  // What attempts from before show: a payer of their own.
  sql`INSERT INTO spending_days (account, day, spent_nano, free_nano, requests)
      SELECT account, ended_at / 86400000, sum(charged_nano), 0, count(*) FROM attempts
      WHERE state = 'settled' GROUP BY 1, 2`,
  db.schema.createIndex("entries_out").on("entries").columns(["account", "id"]),
  db.schema.createIndex("entries_in").on("entries").columns(["counter_account", "id"]),
  sql`CREATE INDEX receipts_of_an_account ON attempts (account, id) WHERE state = 'settled'`,
];
