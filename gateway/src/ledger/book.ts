import { firstReceiptsHash, nextReceiptsHash } from "@bombyx/protocol/receipt";
import { BombyxError, limits, type Receipt, type SignedReceipt } from "@bombyx/protocol/wire";
import { assertAgrees, isRunning, nameOf, recordOf, repeated, sameReceipt } from "./attempt-row.ts";
import type { Balances } from "./balances.ts";
import type { ChannelBook } from "./channel-book.ts";
import type { CreditBook } from "./credit-book.ts";
import {
  type AckState,
  type Attempt,
  type AttemptId,
  type AttemptRecord,
  continuationsMost,
  type LedgerSnapshot,
  type Reservation,
  type Settlement,
  type Standing,
} from "./ledger.ts";
import { assertNano, nodeAccount, operatorAccount, splitFee, worldAccount } from "./money.ts";
import type { AckRow, AttemptRow, Statements } from "./statements.ts";

/** Attempts that one sweep ends in one transaction. */
const sweepMost = 10_000n;

/**
 * The ledger's decisions, on an open transaction; contracts are those of `Ledger`. A call that throws
 * may have written: whoever calls undoes it (see `commit`).
 */
export class Book {
  readonly #statements: Statements;
  readonly #feeBps: number;
  readonly #balances: Balances;
  readonly #channels: ChannelBook;
  readonly #credit: CreditBook;

  /** @param feeBps the operator's part of what is charged, in 1/10000. */
  constructor(
    statements: Statements,
    balances: Balances,
    channels: ChannelBook,
    credit: CreditBook,
    feeBps: number,
  ) {
    this.#statements = statements;
    this.#balances = balances;
    this.#channels = channels;
    this.#credit = credit;
    this.#feeBps = feeBps;
  }

  deposit({ key, account, nano, at }: { key: string; account: string; nano: bigint; at: number }): void {
    assertNano(nano, "nano");
    if (nano === 0n) return;
    const known = this.#statements.entry.get({ key: `deposit:${key}` });
    if (known === undefined) this.#move(`deposit:${key}`, worldAccount, account, nano, at);
    else if (known.nano !== nano || known.counter_account !== account) {
      throw new BombyxError(
        "ALREADY_USED",
        `Deposit ${key} moved ${known.nano} nanoTON to ${known.counter_account}: use another key for another deposit.`,
        { field: "key" },
      );
    }
  }

  reserve(attempt: Attempt): Reservation {
    const known = this.#find(attempt);
    if (known !== undefined) return repeated(known, attempt);
    const former = this.#statements.latestAttempt.get(attempt);
    if (former?.state === "open") {
      throw new BombyxError(
        "ATTEMPT_OPEN",
        `Attempt ${nameOf(former)} of this idempotency id still runs: ask for its frames again, or wait until it ends.`,
      );
    }
    if (former?.state === "settled" && !goesOn(former, attempt)) {
      throw new BombyxError(
        "ALREADY_USED",
        `Attempt ${nameOf(former)} answered this idempotency id: a new question needs a new id.`,
        { field: "idempotencyId" },
      );
    }
    // What the former attempt held and did not use may be what this one holds.
    if (former?.state === "lost") this.#endLost(former, attempt.at);
    this.#channels.assertServed(attempt.payer, attempt.at);
    const named = this.#namedLost(attempt);
    const paidBytes = named && this.#paidBytes(named);
    const continuation = named !== undefined && this.#continues(named, paidBytes ?? 0n, attempt);
    const capUnits = continuation ? attempt.continuationCapUnits : attempt.capUnits;
    const nano = BigInt(capUnits) * attempt.nanoPerUnit;
    assertNano(nano, "capUnits");

    const drawn = this.#credit.draw(attempt, nano);
    this.#statements.insertAttempt.run({
      session: attempt.session,
      request: BigInt(attempt.request),
      account: attempt.account,
      payer: drawn.payer,
      node: attempt.node,
      attestation_id: attempt.attestationId,
      idempotency_id: attempt.idempotencyId,
      price_id: attempt.priceId,
      nano_per_unit: attempt.nanoPerUnit,
      coefficient: BigInt(attempt.coefficient),
      request_bytes: BigInt(attempt.requestBytes),
      paid_bytes: (continuation && paidBytes) || BigInt(attempt.requestBytes),
      cap_units: BigInt(attempt.capUnits),
      continuation_cap_units: BigInt(attempt.continuationCapUnits),
      lost_session: attempt.lostAttempt?.session ?? null,
      lost_request: attempt.lostAttempt === undefined ? null : BigInt(attempt.lostAttempt.request),
      continuation: continuation ? 1n : 0n,
      state: "open",
      reserved_nano: nano,
      finish: null,
      units: 0n,
      charged_nano: 0n,
      fee_nano: 0n,
      purse: drawn.purse,
      allowance_user: drawn.allowanceUser,
      allowance_day: drawn.allowanceDay,
      opened_at: BigInt(attempt.at),
      lost_at: null,
      ended_at: null,
    });
    return { continuation, capUnits, repeated: false };
  }

  settle(signed: SignedReceipt, at: number): Settlement {
    const { receipt } = signed;
    const attempt = this.#find(receipt);
    if (attempt === undefined) {
      throw new BombyxError(
        "RECEIPT_INVALID",
        `No reservation for ${receipt.session}/${receipt.request}: nothing is paid without one.`,
      );
    }
    assertAgrees(attempt, receipt);
    if (isRunning(attempt)) {
      if (receipt.finish !== "running") return this.#pay(attempt, signed, at);
      const last = this.#receiptOf(attempt);
      if (last === undefined || receipt.frames > last.receipt.frames) {
        this.#saveReceipt(attempt, signed);
      }
    } else if (receipt.finish !== "running" && attempt.state === "settled" && attempt.finish !== "running") {
      const paid = this.#receiptOf(attempt)?.receipt;
      if (paid === undefined || !sameReceipt(paid, receipt)) {
        throw new BombyxError(
          "RECEIPT_INVALID",
          `Another receipt settled ${nameOf(attempt)}: a request has one final receipt.`,
        );
      }
    }
    return settlement(attempt, this.standing(attempt.node, at));
  }

  markLost({ session, request }: AttemptId, at: number): void {
    this.#statements.markLost.run({ session, request: BigInt(request), at: BigInt(at) });
  }

  reopen({ session, request }: AttemptId, node: string): number | undefined {
    const lostAt = this.#find({ session, request })?.lost_at;
    const reopened = this.#statements.reopen.run({ session, request: BigInt(request), node });
    return reopened === 0 ? undefined : Number(lostAt);
  }

  lose(id: AttemptId, at: number): Settlement {
    const attempt = this.#known(id);
    return isRunning(attempt)
      ? this.#endLost(attempt, at)
      : settlement(attempt, this.standing(attempt.node, at));
  }

  release(id: AttemptId, at: number): void {
    const attempt = this.#known(id);
    if (isRunning(attempt)) this.#release(attempt, at);
  }

  sweep(before: number, at: number): number {
    const lost = this.#statements.lostBefore.all({ before: BigInt(before), most: sweepMost });
    for (const attempt of lost) this.#endLost(attempt, at);
    return lost.length;
  }

  /** Attempts that an earlier process left open wait for their receipt from `at` on. */
  takeOver(at: number): number {
    return this.#statements.markAllLost.run({ at: BigInt(at) });
  }

  balance(account: string): { availableNano: bigint; reservedNano: bigint } {
    const { nano, reservedNano } = this.#balances.of(account);
    return { availableNano: nano - reservedNano, reservedNano };
  }

  receiptOf(id: AttemptId): SignedReceipt | undefined {
    const attempt = this.#find(id);
    return attempt && this.#receiptOf(attempt);
  }

  attemptOf(id: AttemptId): AttemptRecord | undefined {
    const attempt = this.#find(id);
    return attempt && recordOf(attempt);
  }

  acknowledged(node: string): AckState {
    const row = this.#statements.ack.get({ node });
    return row === undefined ? nothingYet : ackStateOf(row);
  }

  snapshot(): LedgerSnapshot {
    return {
      nodes: this.#statements.placedAcks.all({}).map((row) => ({ node: row.node, ...ackStateOf(row) })),
      clients: this.#statements.charged
        .all({})
        .map(({ account, charged_nano }) => ({ account, chargedNano: charged_nano })),
    };
  }

  standing(node: string, at: number): Standing {
    const known = this.#statements.ack.get({ node });
    if (known !== undefined) return ackStateOf(known);
    this.#statements.placeNode.run({ node, receiptsHash: firstReceiptsHash, at: BigInt(at) });
    const placed = this.#statements.ack.get({ node });
    if (placed === undefined) throw new Error(`${node} got no place`);
    return ackStateOf(placed);
  }

  #find({ session, request }: AttemptId): AttemptRow | undefined {
    return this.#statements.attempt.get({ session, request: BigInt(request) });
  }

  #known(id: AttemptId): AttemptRow {
    const attempt = this.#find(id);
    if (attempt === undefined) {
      throw new BombyxError("REQUEST_UNKNOWN", `No reservation for ${id.session}/${id.request}.`);
    }
    return attempt;
  }

  /** The lost attempt that `attempt` names, when it may. */
  #namedLost({ account, idempotencyId, lostAttempt }: Attempt): AttemptRow | undefined {
    if (lostAttempt === undefined) return undefined;
    const named = this.#find(lostAttempt);
    if (named?.account !== account || named.idempotency_id !== idempotencyId) {
      throw new BombyxError(
        "BAD_REQUEST",
        "The lost attempt named is not an attempt of this account with the same idempotency id.",
        { field: "lostAttempt" },
      );
    }
    return named;
  }

  /** What `named` paid for of its request, and what of its answer the next request may hold besides. */
  #paidBytes(named: AttemptRow): bigint {
    const delivered = this.#receiptOf(named)?.receipt.frames ?? 0;
    return named.paid_bytes + BigInt((delivered + 1) * limits.answerFrameBytes);
  }

  /** Whether `attempt` may leave the prompt unpaid; else a client pays for a short one and has a long one read. */
  #continues(named: AttemptRow, paidBytes: bigint, attempt: Attempt): boolean {
    if (named.units === 0n && named.continuation === 0n) return false;
    if (named.price_id !== attempt.priceId || named.paid_bytes === 0n) return false;
    const bucket = limits.requestBuckets.find((bytes) => BigInt(bytes) >= paidBytes);
    if (bucket !== undefined && attempt.requestBytes > bucket) return false;
    const before = this.#statements.continuations.get(attempt)?.attempts ?? 0n;
    return before < BigInt(continuationsMost);
  }

  #endLost(attempt: AttemptRow, at: number): Settlement {
    const signed = this.#receiptOf(attempt);
    if (signed === undefined) return this.#release(attempt, at);
    return this.#pay(attempt, signed, at);
  }

  #release(attempt: AttemptRow, at: number): Settlement {
    this.#balances.unhold(attempt.payer, attempt.reserved_nano);
    this.#credit.ended(attempt, 0n, at);
    const outcome = { state: "released", finish: null, units: 0n, charged_nano: 0n, fee_nano: 0n } as const;
    return this.#end(attempt, outcome, this.standing(attempt.node, at), at);
  }

  #pay(attempt: AttemptRow, signed: SignedReceipt, at: number): Settlement {
    const { receipt } = signed;
    const chargedNano = BigInt(receipt.units) * attempt.nano_per_unit;
    const { nodeNano, feeNano } = splitFee(chargedNano, this.#feeBps);
    this.#balances.unhold(attempt.payer, attempt.reserved_nano);
    this.#move(`settle:${attempt.id}:node`, attempt.payer, nodeAccount(attempt.node), nodeNano, at);
    this.#move(`settle:${attempt.id}:fee`, attempt.payer, operatorAccount, feeNano, at);
    this.#credit.ended(attempt, chargedNano, at);
    const { receiptsHash: before } = this.standing(attempt.node, at);
    const ack = this.#acknowledge(attempt.node, nodeNano, receipt, at);
    this.#credit.paid(attempt, chargedNano, ack, before, at);
    this.#saveReceipt(attempt, signed);
    const { finish } = receipt;
    const units = BigInt(receipt.units);
    const outcome = {
      state: "settled",
      finish,
      units,
      charged_nano: chargedNano,
      fee_nano: feeNano,
    } as const;
    return this.#end(attempt, outcome, ack, at);
  }

  #acknowledge(node: string, nodeNano: bigint, receipt: Receipt, at: number): Standing {
    const before = this.standing(node, at);
    const ack = {
      ...before,
      n: before.n + 1,
      units: before.units + receipt.units,
      cumulativeNano: before.cumulativeNano + nodeNano,
      receiptsHash: nextReceiptsHash(before.receiptsHash, receipt),
    };
    const { cumulativeNano, receiptsHash } = ack;
    this.#statements.saveAck.run({
      node,
      n: BigInt(ack.n),
      units: BigInt(ack.units),
      cumulativeNano,
      receiptsHash,
    });
    return ack;
  }

  #end(
    attempt: AttemptRow,
    outcome: Pick<AttemptRow, "state" | "finish" | "units" | "charged_nano" | "fee_nano">,
    ack: Standing,
    at: number,
  ): Settlement {
    this.#statements.endAttempt.run({ ...outcome, id: attempt.id, ended_at: BigInt(at) });
    return settlement(outcome, ack);
  }

  #receiptOf({ id }: AttemptRow): SignedReceipt | undefined {
    const row = this.#statements.receipt.get({ attempt: id });
    return row && (JSON.parse(row.signed) as SignedReceipt);
  }

  #saveReceipt({ id }: AttemptRow, signed: SignedReceipt): void {
    this.#statements.saveReceipt.run({ attempt: id, signed: JSON.stringify(signed) });
  }

  #move(key: string, account: string, counterAccount: string, nano: bigint, at: number): void {
    if (nano === 0n) return;
    this.#statements.insertEntry.run({ key, account, counterAccount, nano, at: BigInt(at) });
    this.#balances.move(account, counterAccount, nano);
  }
}

const nothingYet: AckState = {
  n: 0,
  units: 0,
  cumulativeNano: 0n,
  receiptsHash: firstReceiptsHash,
  index: null,
  sinceAt: 0,
};

const ackStateOf = (row: AckRow): Standing => ({
  n: Number(row.n),
  units: Number(row.units),
  cumulativeNano: row.cumulative_nano,
  receiptsHash: row.receipts_hash,
  index: Number(row.place),
  sinceAt: Number(row.since_at),
});

/** An answer that was cut, by the loss of its node or of its client's connection, may be taken up again. */
const goesOn = (former: AttemptRow, { lostAttempt }: Attempt): boolean =>
  former.finish === "running" ||
  (former.finish === "cancelled" &&
    lostAttempt?.session === former.session &&
    BigInt(lostAttempt.request) === former.request);

const settlement = (
  { units, charged_nano, fee_nano }: Pick<AttemptRow, "units" | "charged_nano" | "fee_nano">,
  ack: Standing,
): Settlement => ({
  chargedNano: charged_nano,
  nodeNano: charged_nano - fee_nano,
  feeNano: fee_nano,
  units: Number(units),
  ack,
});
