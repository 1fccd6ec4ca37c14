import type { Purse, Receipt } from "@bombyx/protocol/wire";
import { type Generated, sql } from "kysely";
import type { Migration } from "../store/sqlite.ts";
import { type CreditTables, creditMigration } from "./credit-schema.ts";
import type { AttemptState } from "./ledger.ts";

/** Tables of the ledger's file. Integers are 64-bit and read as bigint; nanoTON fits (9.2 × 10⁹ GRAM). */
export interface LedgerSchema extends CreditTables {
  /** Every movement of money, for ever: `nano` leaves `account` and arrives on `counter_account`. */
  entries: {
    id: Generated<bigint>;
    key: string;
    account: string;
    counter_account: string;
    nano: bigint;
    at: bigint;
  };
  /** Derived from `entries` and open attempts; `audit` recomputes it. */
  balances: { account: string; nano: bigint; reserved_nano: bigint };
  attempts: AttemptsTable;
  /** SignedReceipt as JSON, by attempt: the last running one, then the one that settled. */
  receipts: { attempt: bigint; signed: string };
  acks: AcksTable;
  channels: ChannelsTable;
}

/** What of a channel the entries do not say: totals since the beginning, the best voucher, and its terms. */
export interface ChannelsTable {
  account: string;
  deposited_nano: bigint;
  withdrawn_nano: bigint;
  redeemed_nano: bigint;
  voucher_nano: bigint;
  voucher_key: string | null;
  voucher_signature: string | null;
  unsigned_limit_nano: bigint;
  /** Nothing is served before; ms since epoch. */
  paused_until: bigint;
}

export interface AcksTable {
  node: string;
  n: bigint;
  cumulative_nano: bigint;
  receipts_hash: string;
  units: bigint;
  /** Index of its leaf in every epoch's tree: never changed, never given to another. */
  place: bigint;
  since_at: bigint;
}

export interface AttemptsTable {
  id: Generated<bigint>;
  session: string;
  request: bigint;
  account: string;
  payer: string;
  node: string;
  attestation_id: string;
  idempotency_id: string;
  price_id: string;
  nano_per_unit: bigint;
  coefficient: bigint;
  /** Padded size of the request. */
  request_bytes: bigint;
  /** Bytes of request that are paid for: a continuation's are its predecessor's and what that one delivered. */
  paid_bytes: bigint;
  cap_units: bigint;
  continuation_cap_units: bigint;
  lost_session: string | null;
  lost_request: bigint | null;
  continuation: bigint;
  state: AttemptState;
  /** What it holds while open or lost, then 0. */
  reserved_nano: bigint;
  /** Of the receipt that settled. */
  finish: Receipt["finish"] | null;
  units: bigint;
  charged_nano: bigint;
  fee_nano: bigint;
  /** What it is paid out of; with an allowance, whose and of which UTC day. */
  purse: Purse;
  allowance_user: bigint | null;
  allowance_day: bigint | null;
  /** The acknowledgement that its receipt made: number, total after it, and the chain before it. */
  ack_n: bigint | null;
  ack_nano: bigint | null;
  ack_before: string | null;
  opened_at: bigint;
  lost_at: bigint | null;
  ended_at: bigint | null;
}

const entriesAreFinal = (event: "UPDATE" | "DELETE") =>
  sql`CREATE TRIGGER ${sql.id(`entries_${event.toLowerCase()}`)} BEFORE ${sql.raw(event)} ON entries
      BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END`;

export const ledgerMigrations: readonly Migration<LedgerSchema>[] = [
  (db) => [
    db.schema
      .createTable("entries")
      .addColumn("id", "integer", (column) => column.primaryKey().autoIncrement())
      .addColumn("key", "text", (column) => column.notNull().unique())
      .addColumn("account", "text", (column) => column.notNull())
      .addColumn("counter_account", "text", (column) => column.notNull())
      .addColumn("nano", "bigint", (column) => column.notNull().check(sql`nano > 0`))
      .addColumn("at", "bigint", (column) => column.notNull())
      .addCheckConstraint("two_accounts", sql`account <> counter_account`),
    entriesAreFinal("UPDATE"),
    entriesAreFinal("DELETE"),
    db.schema
      .createTable("balances")
      .addColumn("account", "text", (column) => column.primaryKey())
      .addColumn("nano", "bigint", (column) => column.notNull())
      .addColumn("reserved_nano", "bigint", (column) => column.notNull())
      .addCheckConstraint(
        "never_overspent",
        sql`reserved_nano >= 0 AND (account = 'world' OR nano >= reserved_nano)`,
      ),
    db.schema
      .createTable("attempts")
      .addColumn("id", "integer", (column) => column.primaryKey().autoIncrement())
      .addColumn("session", "text", (column) => column.notNull())
      .addColumn("request", "bigint", (column) => column.notNull())
      .addColumn("account", "text", (column) => column.notNull())
      .addColumn("payer", "text", (column) => column.notNull())
      .addColumn("node", "text", (column) => column.notNull())
      .addColumn("attestation_id", "text", (column) => column.notNull())
      .addColumn("idempotency_id", "text", (column) => column.notNull())
      .addColumn("price_id", "text", (column) => column.notNull())
      .addColumn("nano_per_unit", "bigint", (column) => column.notNull())
      .addColumn("coefficient", "bigint", (column) => column.notNull())
      .addColumn("cap_units", "bigint", (column) => column.notNull())
      .addColumn("continuation_cap_units", "bigint", (column) => column.notNull())
      .addColumn("lost_session", "text")
      .addColumn("lost_request", "bigint")
      .addColumn("continuation", "bigint", (column) => column.notNull())
      .addColumn("state", "text", (column) => column.notNull())
      .addColumn("reserved_nano", "bigint", (column) => column.notNull())
      .addColumn("finish", "text")
      .addColumn("units", "bigint", (column) => column.notNull())
      .addColumn("charged_nano", "bigint", (column) => column.notNull())
      .addColumn("fee_nano", "bigint", (column) => column.notNull())
      .addColumn("opened_at", "bigint", (column) => column.notNull())
      .addColumn("lost_at", "bigint")
      .addColumn("ended_at", "bigint")
      .addUniqueConstraint("one_use_per_request", ["session", "request"])
      .addCheckConstraint("known_state", sql`state IN ('open', 'lost', 'settled', 'released')`)
      .addCheckConstraint("held_while_running", sql`(state IN ('open', 'lost')) OR reserved_nano = 0`),
    sql`CREATE UNIQUE INDEX one_open_attempt ON attempts (account, idempotency_id) WHERE state IN ('open', 'lost')`,
    sql`CREATE INDEX lost_attempts ON attempts (lost_at) WHERE state = 'lost'`,
    db.schema.createIndex("attempts_of_an_idempotency_id").on("attempts").column("idempotency_id"),
    db.schema
      .createTable("receipts")
      .addColumn("attempt", "integer", (column) => column.primaryKey().references("attempts.id"))
      .addColumn("signed", "text", (column) => column.notNull()),
    db.schema
      .createTable("acks")
      .addColumn("node", "text", (column) => column.primaryKey())
      .addColumn("n", "bigint", (column) => column.notNull())
      .addColumn("cumulative_nano", "bigint", (column) => column.notNull())
      .addColumn("receipts_hash", "text", (column) => column.notNull()),
  ],
  // Attempts from before have paid for no byte that is known: what goes on from them pays for its prompt.
  (db) => [
    db.schema
      .alterTable("attempts")
      .addColumn("request_bytes", "bigint", (column) => column.notNull().defaultTo(0)),
    db.schema
      .alterTable("attempts")
      .addColumn("paid_bytes", "bigint", (column) => column.notNull().defaultTo(0)),
  ],
  // What each node served, beside what it earned: owners see both, and a leaf of an epoch names both.
  (db) => [
    db.schema.alterTable("acks").addColumn("units", "bigint", (column) => column.notNull().defaultTo(0)),
    sql`UPDATE acks SET units = (
      SELECT coalesce(sum(attempts.units), 0) FROM attempts
      WHERE attempts.node = acks.node AND attempts.state = 'settled')`,
  ],
  // Every node's place in the epochs' trees.
  (db) => [
    db.schema.alterTable("acks").addColumn("place", "bigint", (column) => column.notNull().defaultTo(-1)),
    db.schema.alterTable("acks").addColumn("since_at", "bigint", (column) => column.notNull().defaultTo(0)),
    sql`UPDATE acks SET place = (SELECT count(*) FROM acks AS others WHERE others.node < acks.node)`,
    sql`CREATE UNIQUE INDEX one_node_per_place ON acks (place)`,
    sql`CREATE TRIGGER places_are_final BEFORE UPDATE OF place ON acks WHEN new.place <> old.place
        BEGIN SELECT RAISE(ABORT, 'a place in the trees is for ever'); END`,
    sql`CREATE TRIGGER places_are_kept BEFORE DELETE ON acks
        BEGIN SELECT RAISE(ABORT, 'a place in the trees is for ever'); END`,
  ],
  // Channels.
  (db) => [
    db.schema
      .createTable("channels")
      .addColumn("account", "text", (column) => column.primaryKey())
      .addColumn("deposited_nano", "bigint", (column) => column.notNull())
      .addColumn("withdrawn_nano", "bigint", (column) => column.notNull())
      .addColumn("redeemed_nano", "bigint", (column) => column.notNull())
      .addColumn("voucher_nano", "bigint", (column) => column.notNull())
      .addColumn("voucher_key", "text")
      .addColumn("voucher_signature", "text")
      .addColumn("unsigned_limit_nano", "bigint", (column) => column.notNull())
      .addColumn("paused_until", "bigint", (column) => column.notNull())
      .addCheckConstraint("signed_within_deposit", sql`voucher_nano <= deposited_nano`),
  ],
  creditMigration,
];
