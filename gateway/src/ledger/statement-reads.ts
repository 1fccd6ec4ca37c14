import type { DatabaseSync } from "node:sqlite";
import type { Purse, SignedReceipt } from "@bombyx/protocol/wire";
import { sql } from "kysely";
import { prepare } from "../store/prepared.ts";
import { kyselyOver } from "../store/sqlite.ts";
import type { Balances } from "./balances.ts";
import { dayOf } from "./credit.ts";
import type { LedgerSchema } from "./schema.ts";

/** One movement of an account's money: an entry, or the two of an answer (node's part and fee) as one. */
export interface AccountLine {
  readonly id: number;
  readonly at: number;
  readonly kind: "deposit" | "request" | "stars" | "refund" | "withdrawal";
  readonly direction: "in" | "out";
  readonly nano: bigint;
  readonly attempt: number | null;
  readonly askedBy: string | null;
  readonly units: number | null;
  readonly stars: number | null;
}

export interface ChargedReceipt {
  readonly id: number;
  readonly at: number;
  readonly account: string;
  readonly payer: string;
  readonly node: string;
  readonly attestationId: string;
  readonly priceId: string;
  readonly finish: "done" | "running" | "cancelled";
  readonly units: number;
  readonly chargedNano: bigint;
  readonly feeNano: bigint;
  readonly purse: Purse;
}

/** With what the node's acknowledgement was made of; null for one settled before that was kept. */
export interface ReceiptEvidence extends ChargedReceipt {
  readonly signed: SignedReceipt;
  readonly ack: { readonly n: number; readonly cumulativeNano: bigint; readonly previousHash: string } | null;
}

export interface SpendingDay {
  /** UTC days since the epoch. */
  readonly day: number;
  readonly spentNano: bigint;
  readonly freeNano: bigint;
  readonly requests: number;
}

export interface Moved {
  readonly last: number;
  readonly accounts: readonly { readonly account: string; readonly availableNano: bigint }[];
}

export interface PageOf {
  /** Ids below this one. @default the newest */
  readonly before?: number;
  readonly limit: number;
}

/** What accounts see of the ledger. Each reads as many rows as it answers, however many there are. */
export interface StatementLedger {
  /** Movements of a ledger account, newest first. */
  statement(payer: string, page: PageOf): Promise<readonly AccountLine[]>;
  /** Days with settled requests of an account from `day` on, oldest first. */
  spending(account: string, day: number): Promise<readonly SpendingDay[]>;
  /** Settled requests of the account that asked, newest first. */
  receipts(account: string, page: PageOf): Promise<readonly ChargedReceipt[]>;
  receiptEvidence(id: number): Promise<ReceiptEvidence | undefined>;
  /**
   * Accounts of people and sponsors that were paid from or into by entries above `after`, with what each has now.
   * @returns `last` is the last entry that was read, or the ledger's last when there is none.
   */
  movedSince(after: number, most: number): Promise<Moved>;
}

const newest = 2n ** 62n;

/** The reads, on an open transaction. */
export class StatementReads {
  readonly #statements: ReturnType<typeof readStatements>;

  readonly #balances: Balances;

  constructor(database: DatabaseSync, balances: Balances) {
    this.#statements = readStatements(database);
    this.#balances = balances;
  }

  statement(payer: string, { before, limit }: PageOf): AccountLine[] {
    const from = before === undefined ? newest : BigInt(before);
    // An answer is two entries at most, and one more row tells whether its second is cut off.
    const most = BigInt(limit * 2 + 1);
    const out = this.#statements.out.all({ account: payer, before: from, most });
    const into = this.#statements.in.all({ account: payer, before: from, most });
    const rows = [...out, ...into].sort((a, b) => (a.id < b.id ? 1 : -1));
    const lines: { row: EntryRow; nano: bigint; id: bigint }[] = [];
    for (const row of rows) {
      const last = lines.at(-1);
      const attempt = attemptOf(row.key);
      if (last !== undefined && attempt !== undefined && attempt === attemptOf(last.row.key)) {
        last.nano += row.nano;
        last.id = row.id;
      } else if (lines.length === limit) break;
      else lines.push({ row, nano: row.nano, id: row.id });
    }
    return lines.map(({ row, nano, id }) => this.#line(payer, row, nano, id));
  }

  spending(account: string, day: number): SpendingDay[] {
    return this.#statements.spending.all({ account, day: BigInt(day) }).map((row) => ({
      day: Number(row.day),
      spentNano: row.spent_nano,
      freeNano: row.free_nano,
      requests: Number(row.requests),
    }));
  }

  receipts(account: string, { before, limit }: PageOf): ChargedReceipt[] {
    const from = before === undefined ? newest : BigInt(before);
    return this.#statements.receipts.all({ account, before: from, most: BigInt(limit) }).map(charged);
  }

  receiptEvidence(id: number): ReceiptEvidence | undefined {
    const row = this.#statements.evidence.get({ id: BigInt(id) });
    if (row === undefined) return undefined;
    const { ack_n, ack_nano, ack_before } = row;
    const known = ack_n !== null && ack_nano !== null && ack_before !== null;
    return {
      ...charged(row),
      signed: JSON.parse(row.signed) as SignedReceipt,
      ack: known ? { n: Number(ack_n), cumulativeNano: ack_nano, previousHash: ack_before } : null,
    };
  }

  movedSince(after: number, most: number): Moved {
    const end = Number(this.#statements.lastEntry.get({})?.id ?? 0n);
    if (after >= end) return { last: end, accounts: [] };
    const rows = this.#statements.since.all({ after: BigInt(after), most: BigInt(most) });
    const names = new Set(rows.flatMap((row) => [row.account, row.counter_account]));
    const accounts = [...names].filter((name) => /^(?:credit|sponsor):/.test(name));
    return {
      last: Number(rows.at(-1)?.id ?? BigInt(after)),
      accounts: accounts.map((account) => {
        const { nano, reservedNano } = this.#balances.of(account);
        return { account, availableNano: nano - reservedNano };
      }),
    };
  }

  #line(payer: string, row: EntryRow, nano: bigint, id: bigint): AccountLine {
    const direction = row.account === payer ? "out" : "in";
    const attempt = attemptOf(row.key);
    const asked = attempt === undefined ? undefined : this.#statements.asked.get({ id: BigInt(attempt) });
    const charge = /^(?:un)?stars:([^:]+:[^:]+)/.exec(row.key)?.[1];
    const payment = charge === undefined ? undefined : this.#statements.stars.get({ charge });
    return {
      id: Number(id),
      at: Number(row.at),
      kind: kindOf(row.key, direction),
      direction,
      nano,
      attempt: attempt === undefined ? null : Number(attempt),
      askedBy: asked?.account ?? null,
      units: asked === undefined ? null : Number(asked.units),
      stars: payment?.stars == null ? null : Number(payment.stars),
    };
  }
}

interface EntryRow {
  readonly id: bigint;
  readonly key: string;
  readonly account: string;
  readonly nano: bigint;
  readonly at: bigint;
}

const attemptOf = (key: string): string | undefined => /^settle:([0-9]+):/.exec(key)?.[1];

function kindOf(key: string, direction: "in" | "out"): AccountLine["kind"] {
  if (key.startsWith("settle:")) return "request";
  if (key.startsWith("stars:")) return "stars";
  if (key.startsWith("unstars:")) return "refund";
  return direction === "in" ? "deposit" : "withdrawal";
}

interface ChargedRow {
  readonly id: bigint;
  readonly ended_at: bigint | null;
  readonly account: string;
  readonly payer: string;
  readonly node: string;
  readonly attestation_id: string;
  readonly price_id: string;
  readonly finish: "done" | "running" | "cancelled" | null;
  readonly units: bigint;
  readonly charged_nano: bigint;
  readonly fee_nano: bigint;
  readonly purse: Purse;
}

const charged = (row: ChargedRow): ChargedReceipt => ({
  id: Number(row.id),
  at: Number(row.ended_at),
  account: row.account,
  payer: row.payer,
  node: row.node,
  attestationId: row.attestation_id,
  priceId: row.price_id,
  finish: row.finish ?? "done",
  units: Number(row.units),
  chargedNano: row.charged_nano,
  feeNano: row.fee_nano,
  purse: row.purse,
});

/** First day of `days` UTC days that end with the one of `at`. */
export const firstDayOf = (at: number, days: number): number => dayOf(at) - days + 1;

const chargedColumns = [
  "attempts.id",
  "attempts.ended_at",
  "attempts.account",
  "attempts.payer",
  "attempts.node",
  "attempts.attestation_id",
  "attempts.price_id",
  "attempts.finish",
  "attempts.units",
  "attempts.charged_nano",
  "attempts.fee_nano",
  "attempts.purse",
] as const;

/** Literally the condition of the index `receipts_of_an_account`. */
const settled = sql<boolean>`state = 'settled'`;

function readStatements(database: DatabaseSync) {
  const db = kyselyOver<LedgerSchema>(database);
  const entries = ["id", "key", "account", "nano", "at"] as const;
  return {
    out: prepare<{ account: string; before: bigint; most: bigint }>()(database, ($) =>
      db
        .selectFrom("entries")
        .select(entries)
        .where("account", "=", $("account"))
        .where("id", "<", $("before"))
        .orderBy("id", "desc")
        .limit($("most")),
    ),
    in: prepare<{ account: string; before: bigint; most: bigint }>()(database, ($) =>
      db
        .selectFrom("entries")
        .select(entries)
        .where("counter_account", "=", $("account"))
        .where("id", "<", $("before"))
        .orderBy("id", "desc")
        .limit($("most")),
    ),
    since: prepare<{ after: bigint; most: bigint }>()(database, ($) =>
      db
        .selectFrom("entries")
        .select(["id", "account", "counter_account"])
        .where("id", ">", $("after"))
        .orderBy("id")
        .limit($("most")),
    ),
    lastEntry: prepare<object>()(database, () =>
      db.selectFrom("entries").select((row) => row.fn.max("id").as("id")),
    ),
    asked: prepare<{ id: bigint }>()(database, ($) =>
      db.selectFrom("attempts").select(["account", "units"]).where("id", "=", $("id")),
    ),
    stars: prepare<{ charge: string }>()(database, ($) =>
      db.selectFrom("star_payments").select("stars").where("charge", "=", $("charge")),
    ),
    spending: prepare<{ account: string; day: bigint }>()(database, ($) =>
      db
        .selectFrom("spending_days")
        .selectAll()
        .where("account", "=", $("account"))
        .where("day", ">=", $("day"))
        .orderBy("day"),
    ),
    receipts: prepare<{ account: string; before: bigint; most: bigint }>()(database, ($) =>
      db
        .selectFrom("attempts")
        .select(chargedColumns)
        .where("account", "=", $("account"))
        .where(settled)
        .where("id", "<", $("before"))
        .orderBy("id", "desc")
        .limit($("most")),
    ),
    evidence: prepare<{ id: bigint }>()(database, ($) =>
      db
        .selectFrom("attempts")
        .innerJoin("receipts", "receipts.attempt", "attempts.id")
        .select(chargedColumns)
        .select(["attempts.ack_n", "attempts.ack_nano", "attempts.ack_before", "receipts.signed"])
        .where("attempts.id", "=", $("id"))
        .where("attempts.state", "=", "settled"),
    ),
  };
}
