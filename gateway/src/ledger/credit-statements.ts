import type { DatabaseSync } from "node:sqlite";
import { sql } from "kysely";
import { prepare } from "../store/prepared.ts";
import { kyselyOver } from "../store/sqlite.ts";
import type { LedgerSchema } from "./schema.ts";

export type CreditStatements = ReturnType<typeof creditStatements>;

/** Literally the condition of the index `open_offers`. */
const stillOpen = sql<boolean>`state = 'open'`;

/** Queries of the credit book, compiled once. Only SQL that PostgreSQL understands too. */
export function creditStatements(database: DatabaseSync) {
  const db = kyselyOver<LedgerSchema>(database);
  return {
    allowance: prepare<{ user: bigint; day: bigint }>()(database, ($) =>
      db.selectFrom("allowances").select("nano").where("user", "=", $("user")).where("day", "=", $("day")),
    ),
    addAllowance: prepare<{ user: bigint; day: bigint; nano: bigint }>()(database, ($) =>
      db
        .insertInto("allowances")
        .values({ user: $("user"), day: $("day"), nano: $("nano") })
        .onConflict((conflict) =>
          conflict.columns(["user", "day"]).doUpdateSet({
            nano: sql<bigint>`allowances.nano + excluded.nano`,
          }),
        ),
    ),
    giveAllowanceBack: prepare<{ user: bigint; day: bigint; nano: bigint }>()(database, ($) =>
      db
        .updateTable("allowances")
        .set((row) => ({ nano: row("nano", "-", $("nano")) }))
        .where("user", "=", $("user"))
        .where("day", "=", $("day")),
    ),
    offer: prepare<{ credit: string; id: string }>()(database, ($) =>
      db.selectFrom("credit_offers").selectAll().where("credit", "=", $("credit")).where("id", "=", $("id")),
    ),
    openOffers: prepare<{ credit: string }>()(database, ($) =>
      db
        .selectFrom("credit_offers")
        .selectAll()
        .where("credit", "=", $("credit"))
        .where("state", "=", "open")
        .orderBy("expires_at")
        .orderBy("id"),
    ),
    insertOffer: prepare<{ credit: string; id: string; sponsor: string; nano: bigint; expiresAt: bigint }>()(
      database,
      ($) =>
        db.insertInto("credit_offers").values({
          credit: $("credit"),
          id: $("id"),
          sponsor: $("sponsor"),
          nano: $("nano"),
          state: "open",
          expires_at: $("expiresAt"),
        }),
    ),
    endOffer: prepare<{ credit: string; id: string; state: "sold" | "expired" }>()(database, ($) =>
      db
        .updateTable("credit_offers")
        .set({ state: $("state") })
        .where("credit", "=", $("credit"))
        .where("id", "=", $("id")),
    ),
    offersBefore: prepare<{ at: bigint; most: bigint }>()(database, ($) =>
      db
        .selectFrom("credit_offers")
        .selectAll()
        .where(stillOpen)
        .where("expires_at", "<=", $("at"))
        .orderBy("expires_at")
        .limit($("most")),
    ),
    payment: prepare<{ charge: string }>()(database, ($) =>
      db.selectFrom("star_payments").selectAll().where("charge", "=", $("charge")),
    ),
    insertPayment: prepare<{
      charge: string;
      credit: string;
      sponsor: string;
      stars: bigint | null;
      nano: bigint | null;
      at: bigint;
      refundedAt: bigint | null;
    }>()(database, ($) =>
      db.insertInto("star_payments").values({
        charge: $("charge"),
        credit: $("credit"),
        sponsor: $("sponsor"),
        stars: $("stars"),
        nano: $("nano"),
        at: $("at"),
        refunded_at: $("refundedAt"),
        taken_nano: 0n,
        pending_nano: 0n,
      }),
    ),
    /** A payment whose refund came first. */
    fillPayment: prepare<{ charge: string; stars: bigint; nano: bigint }>()(database, ($) =>
      db
        .updateTable("star_payments")
        .set({ stars: $("stars"), nano: $("nano") })
        .where("charge", "=", $("charge")),
    ),
    refundPayment: prepare<{ charge: string; at: bigint; taken: bigint; pending: bigint }>()(database, ($) =>
      db
        .updateTable("star_payments")
        .set({ refunded_at: $("at"), taken_nano: $("taken"), pending_nano: $("pending") })
        .where("charge", "=", $("charge")),
    ),
    pendingRefunds: prepare<{ credit: string }>()(database, ($) =>
      db
        .selectFrom("star_payments")
        .select(["charge", "sponsor", "pending_nano"])
        .where("credit", "=", $("credit"))
        .where(sql<boolean>`pending_nano > 0`)
        .orderBy("at"),
    ),
    takePending: prepare<{ charge: string; nano: bigint; pending: bigint }>()(database, ($) =>
      db
        .updateTable("star_payments")
        .set((row) => ({ taken_nano: row("taken_nano", "+", $("nano")), pending_nano: $("pending") }))
        .where("charge", "=", $("charge")),
    ),
    addSpending: prepare<{ account: string; day: bigint; spent: bigint; free: bigint }>()(database, ($) =>
      db
        .insertInto("spending_days")
        .values({
          account: $("account"),
          day: $("day"),
          spent_nano: $("spent"),
          free_nano: $("free"),
          requests: 1n,
        })
        .onConflict((conflict) =>
          conflict.columns(["account", "day"]).doUpdateSet({
            spent_nano: sql<bigint>`spending_days.spent_nano + excluded.spent_nano`,
            free_nano: sql<bigint>`spending_days.free_nano + excluded.free_nano`,
            requests: sql<bigint>`spending_days.requests + excluded.requests`,
          }),
        ),
    ),
    setAck: prepare<{ attempt: bigint; n: bigint; nano: bigint; before: string }>()(database, ($) =>
      db
        .updateTable("attempts")
        .set({ ack_n: $("n"), ack_nano: $("nano"), ack_before: $("before") })
        .where("id", "=", $("attempt")),
    ),
    insertEntry: prepare<{ key: string; account: string; counter: string; nano: bigint; at: bigint }>()(
      database,
      ($) =>
        db.insertInto("entries").values({
          key: $("key"),
          account: $("account"),
          counter_account: $("counter"),
          nano: $("nano"),
          at: $("at"),
        }),
    ),
    /** For the audit. */
    heldByOffers: prepare<object>()(database, () =>
      db.selectFrom("credit_offers").select(["sponsor", "nano"]).where(stillOpen),
    ),
    allAllowances: prepare<object>()(database, () => db.selectFrom("allowances").selectAll()),
    allowancesOfAttempts: prepare<object>()(database, () =>
      db
        .selectFrom("attempts")
        .select(["allowance_user", "allowance_day"])
        .select(sql<bigint>`sum(reserved_nano + charged_nano)`.as("nano"))
        .where("allowance_user", "is not", null)
        .groupBy(["allowance_user", "allowance_day"]),
    ),
  };
}
