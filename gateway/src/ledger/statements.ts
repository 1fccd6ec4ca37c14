import type { DatabaseSync } from "node:sqlite";
import { type Selectable, sql } from "kysely";
import { prepare } from "../store/prepared.ts";
import { kyselyOver } from "../store/sqlite.ts";
import type { AcksTable, AttemptsTable, LedgerSchema } from "./schema.ts";

export type AckRow = Selectable<AcksTable>;
export type AttemptRow = Selectable<AttemptsTable>;
export type Statements = ReturnType<typeof ledgerStatements>;

interface Key {
  session: string;
  request: bigint;
}

/** Literally the condition of the index `one_open_attempt`, so that only running attempts are read. */
const stillRunning = sql<boolean>`state IN ('open', 'lost')`;

/** Every query of the ledger's hot path, compiled once. Only SQL that PostgreSQL understands too. */
export function ledgerStatements(database: DatabaseSync) {
  const db = kyselyOver<LedgerSchema>(database);
  return {
    entry: prepare<{ key: string }>()(database, ($) =>
      db.selectFrom("entries").selectAll().where("key", "=", $("key")),
    ),
    insertEntry: prepare<{
      key: string;
      account: string;
      counterAccount: string;
      nano: bigint;
      at: bigint;
    }>()(database, ($) =>
      db.insertInto("entries").values({
        key: $("key"),
        account: $("account"),
        counter_account: $("counterAccount"),
        nano: $("nano"),
        at: $("at"),
      }),
    ),
    balance: prepare<{ account: string }>()(database, ($) =>
      db.selectFrom("balances").selectAll().where("account", "=", $("account")),
    ),
    saveBalance: prepare<{ account: string; nano: bigint; reservedNano: bigint }>()(database, ($) =>
      db
        .insertInto("balances")
        .values({ account: $("account"), nano: $("nano"), reserved_nano: $("reservedNano") })
        .onConflict((conflict) =>
          conflict.column("account").doUpdateSet((row) => ({
            nano: row.ref("excluded.nano"),
            reserved_nano: row.ref("excluded.reserved_nano"),
          })),
        ),
    ),
    attempt: prepare<Key>()(database, ($) =>
      db
        .selectFrom("attempts")
        .selectAll()
        .where("session", "=", $("session"))
        .where("request", "=", $("request")),
    ),
    latestAttempt: prepare<{ account: string; idempotencyId: string }>()(database, ($) =>
      db
        .selectFrom("attempts")
        .selectAll()
        .where("account", "=", $("account"))
        .where("idempotency_id", "=", $("idempotencyId"))
        .orderBy("id", "desc")
        // A bound limit would have SQLite plan the query anew each time.
        .limit(sql.lit(1)),
    ),
    /** Attempts of an idempotency id that did not pay for their prompt; those that ended undelivered do not count. */
    continuations: prepare<{ account: string; idempotencyId: string }>()(database, ($) =>
      db
        .selectFrom("attempts")
        .select((row) => row.fn.countAll<bigint>().as("attempts"))
        .where("account", "=", $("account"))
        .where("idempotency_id", "=", $("idempotencyId"))
        .where(sql<boolean>`continuation = 1 AND state <> 'released'`),
    ),
    insertAttempt: prepare<Omit<AttemptRow, "id" | "ack_n" | "ack_nano" | "ack_before">>()(database, ($) =>
      db.insertInto("attempts").values({
        session: $("session"),
        request: $("request"),
        account: $("account"),
        payer: $("payer"),
        node: $("node"),
        attestation_id: $("attestation_id"),
        idempotency_id: $("idempotency_id"),
        price_id: $("price_id"),
        nano_per_unit: $("nano_per_unit"),
        coefficient: $("coefficient"),
        request_bytes: $("request_bytes"),
        paid_bytes: $("paid_bytes"),
        cap_units: $("cap_units"),
        continuation_cap_units: $("continuation_cap_units"),
        lost_session: $("lost_session"),
        lost_request: $("lost_request"),
        continuation: $("continuation"),
        state: $("state"),
        reserved_nano: $("reserved_nano"),
        finish: $("finish"),
        units: $("units"),
        charged_nano: $("charged_nano"),
        fee_nano: $("fee_nano"),
        purse: $("purse"),
        allowance_user: $("allowance_user"),
        allowance_day: $("allowance_day"),
        opened_at: $("opened_at"),
        lost_at: $("lost_at"),
        ended_at: $("ended_at"),
      }),
    ),
    endAttempt: prepare<
      Pick<AttemptRow, "id" | "state" | "finish" | "units" | "charged_nano" | "fee_nano" | "ended_at">
    >()(database, ($) =>
      db
        .updateTable("attempts")
        .set({
          state: $("state"),
          reserved_nano: 0n,
          finish: $("finish"),
          units: $("units"),
          charged_nano: $("charged_nano"),
          fee_nano: $("fee_nano"),
          ended_at: $("ended_at"),
        })
        .where("id", "=", $("id")),
    ),
    receipt: prepare<{ attempt: bigint }>()(database, ($) =>
      db.selectFrom("receipts").select("signed").where("attempt", "=", $("attempt")),
    ),
    saveReceipt: prepare<{ attempt: bigint; signed: string }>()(database, ($) =>
      db
        .insertInto("receipts")
        .values({ attempt: $("attempt"), signed: $("signed") })
        .onConflict((conflict) =>
          conflict.column("attempt").doUpdateSet((row) => ({ signed: row.ref("excluded.signed") })),
        ),
    ),
    markLost: prepare<Key & { at: bigint }>()(database, ($) =>
      db
        .updateTable("attempts")
        .set({ state: "lost", lost_at: $("at") })
        .where("session", "=", $("session"))
        .where("request", "=", $("request"))
        .where("state", "=", "open"),
    ),
    reopen: prepare<Key & { node: string }>()(database, ($) =>
      db
        .updateTable("attempts")
        .set({ state: "open", lost_at: null })
        .where("session", "=", $("session"))
        .where("request", "=", $("request"))
        .where("node", "=", $("node"))
        .where("state", "=", "lost"),
    ),
    markAllLost: prepare<{ at: bigint }>()(database, ($) =>
      db
        .updateTable("attempts")
        .set({ state: "lost", lost_at: $("at") })
        .where(stillRunning)
        .where("state", "=", "open"),
    ),
    lostBefore: prepare<{ before: bigint; most: bigint }>()(database, ($) =>
      db
        .selectFrom("attempts")
        .selectAll()
        .where(sql<boolean>`state = 'lost'`)
        .where("lost_at", "<", $("before"))
        .orderBy("lost_at")
        .limit($("most")),
    ),
    ack: prepare<{ node: string }>()(database, ($) =>
      db.selectFrom("acks").selectAll().where("node", "=", $("node")),
    ),
    /** A node's first: the next place in the trees is its own. */
    placeNode: prepare<{ node: string; receiptsHash: string; at: bigint }>()(database, ($) =>
      db.insertInto("acks").values({
        node: $("node"),
        n: 0n,
        units: 0n,
        cumulative_nano: 0n,
        receipts_hash: $("receiptsHash"),
        place: sql<bigint>`(SELECT coalesce(max(place) + 1, 0) FROM acks)`,
        since_at: $("at"),
      }),
    ),
    saveAck: prepare<{
      node: string;
      n: bigint;
      units: bigint;
      cumulativeNano: bigint;
      receiptsHash: string;
    }>()(database, ($) =>
      db
        .updateTable("acks")
        .set({
          n: $("n"),
          units: $("units"),
          cumulative_nano: $("cumulativeNano"),
          receipts_hash: $("receiptsHash"),
        })
        .where("node", "=", $("node")),
    ),
    totals: prepare<object>()(database, () =>
      db
        .selectFrom("balances")
        .select((row) => [row.fn.coalesce(row.fn.sum<bigint>("nano"), sql<bigint>`0`).as("nano")]),
    ),
    running: prepare<object>()(database, () =>
      db.selectFrom("attempts").select(["payer", "reserved_nano"]).where("state", "in", ["open", "lost"]),
    ),
    allBalances: prepare<object>()(database, () => db.selectFrom("balances").selectAll()),
    allAcks: prepare<object>()(database, () => db.selectFrom("acks").selectAll()),
    placedAcks: prepare<object>()(database, () => db.selectFrom("acks").selectAll().orderBy("place")),
    /** What each account's requests have cost so far. */
    charged: prepare<object>()(database, () =>
      db
        .selectFrom("spending_days")
        .select((row) => ["account", row.fn.sum<bigint>("spent_nano").as("charged_nano")])
        .groupBy("account")
        .orderBy("account"),
    ),
    /** What the entries alone say that each account has. */
    movements: prepare<object>()(database, () =>
      db
        .selectFrom(
          db
            .selectFrom("entries")
            .select((row) => ["account", sql<bigint>`-${row.ref("nano")}`.as("nano")])
            .unionAll(db.selectFrom("entries").select(["counter_account as account", "nano"]))
            .as("movement"),
        )
        .select((row) => ["account", row.fn.sum<bigint>("nano").as("nano")])
        .groupBy("account"),
    ),
    entryCount: prepare<object>()(database, () =>
      db.selectFrom("entries").select((row) => row.fn.countAll<bigint>().as("entries")),
    ),
  };
}
