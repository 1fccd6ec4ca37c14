import { firstReceiptsHash, nextReceiptsHash } from "@bombyx/protocol/receipt";
import { BombyxError, type SignedReceipt } from "@bombyx/protocol/wire";
import {
  assertAgrees,
  finishOf,
  isRunning,
  nameOf,
  receiptIn,
  recordOf,
  repeated,
  sameReceipt,
  unitsOf,
} from "./attempt-row.ts";
import type { AckState, Attempt, AttemptId, AttemptRecord, Reservation, Settlement } from "./ledger.ts";
import { assertNano, nodeAccount, operatorAccount, splitFee, worldAccount } from "./money.ts";
import type { AttemptRow, Statements } from "./statements.ts";

/** Attempts that one sweep ends in one transaction. */
const sweepMost = 10_000n;

/**
 * The ledger's decisions, on an open transaction; contracts are those of `Ledger`. A call that throws
 * may have written: whoever calls undoes it (see `commit`).
 */
export class Book {
  readonly #statements: Statements;
  readonly #feeBps: number;
  /** Called with each account before its balance changes. */
  readonly #touch: (account: string) => void;

  constructor(statements: Statements, feeBps: number, touch: (account: string) => void) {
    this.#statements = statements;
    this.#feeBps = feeBps;
    this.#touch = touch;
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
    if (former?.state === "settled" && finishOf(former) !== "running") {
      throw new BombyxError(
        "ALREADY_USED",
        `Attempt ${nameOf(former)} answered this idempotency id: a new question needs a new id.`,
        { field: "idempotencyId" },
      );
    }
    const named = this.#namedLost(attempt);
    const namedUnits = named?.state === "lost" ? unitsOf(named) : (named?.units ?? 0n);
    const continuation = namedUnits > 0n || named?.continuation === 1n;
    const capUnits = continuation ? attempt.continuationCapUnits : attempt.capUnits;
    const nano = BigInt(capUnits) * attempt.nanoPerUnit;
    assertNano(nano, "capUnits");

    // What the former attempt held and did not use may be what this one holds.
    if (former?.state === "lost") this.#endLost(former, attempt.at);
    if (this.#statements.hold.run({ account: attempt.payer, nano }) === 0) {
      throw new BombyxError(
        "ALLOWANCE_EXHAUSTED",
        `This request can cost up to ${nano} nanoTON, ${attempt.payer} has ${this.balance(attempt.payer).availableNano} left: top it up, or ask for fewer tokens.`,
      );
    }
    this.#statements.insertAttempt.run({
      session: attempt.session,
      request: BigInt(attempt.request),
      account: attempt.account,
      payer: attempt.payer,
      node: attempt.node,
      attestation_id: attempt.attestationId,
      idempotency_id: attempt.idempotencyId,
      price_id: attempt.priceId,
      nano_per_unit: attempt.nanoPerUnit,
      coefficient: BigInt(attempt.coefficient),
      cap_units: BigInt(attempt.capUnits),
      continuation_cap_units: BigInt(attempt.continuationCapUnits),
      lost_session: attempt.lostAttempt?.session ?? null,
      lost_request: attempt.lostAttempt === undefined ? null : BigInt(attempt.lostAttempt.request),
      continuation: continuation ? 1n : 0n,
      state: "open",
      reserved_nano: nano,
      receipt: null,
      units: 0n,
      charged_nano: 0n,
      fee_nano: 0n,
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
      const last = receiptIn(attempt);
      if (last === undefined || receipt.frames > last.receipt.frames) {
        this.#statements.rememberReceipt.run({ id: attempt.id, receipt: JSON.stringify(signed) });
      }
    } else if (receipt.finish !== "running" && attempt.state === "settled") {
      const paid = receiptIn(attempt)?.receipt;
      if (paid !== undefined && paid.finish !== "running" && !sameReceipt(paid, receipt)) {
        throw new BombyxError(
          "RECEIPT_INVALID",
          `Another receipt settled ${nameOf(attempt)}: a request has one final receipt.`,
        );
      }
    }
    return this.#settlementOf(attempt);
  }

  markLost({ session, request }: AttemptId, at: number): void {
    this.#statements.markLost.run({ session, request: BigInt(request), at: BigInt(at) });
  }

  lose(id: AttemptId, at: number): Settlement {
    const attempt = this.#known(id);
    return isRunning(attempt) ? this.#endLost(attempt, at) : this.#settlementOf(attempt);
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
    const row = this.#statements.balance.get({ account });
    if (row === undefined) return { availableNano: 0n, reservedNano: 0n };
    return { availableNano: row.nano - row.reserved_nano, reservedNano: row.reserved_nano };
  }

  receiptOf(id: AttemptId): SignedReceipt | undefined {
    const attempt = this.#find(id);
    return attempt && receiptIn(attempt);
  }

  attemptOf(id: AttemptId): AttemptRecord | undefined {
    const attempt = this.#find(id);
    return attempt && recordOf(attempt);
  }

  acknowledged(node: string): AckState {
    const row = this.#statements.ack.get({ node });
    if (row === undefined) return { n: 0, cumulativeNano: 0n, receiptsHash: firstReceiptsHash };
    return { n: Number(row.n), cumulativeNano: row.cumulative_nano, receiptsHash: row.receipts_hash };
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

  #endLost(attempt: AttemptRow, at: number): Settlement {
    const signed = receiptIn(attempt);
    if (signed === undefined) return this.#release(attempt, at);
    return this.#pay(attempt, signed, at);
  }

  #release(attempt: AttemptRow, at: number): Settlement {
    this.#statements.unhold.run({ account: attempt.payer, nano: attempt.reserved_nano });
    return this.#end(attempt, { state: "released", units: 0n, charged_nano: 0n, fee_nano: 0n }, null, at);
  }

  #pay(attempt: AttemptRow, signed: SignedReceipt, at: number): Settlement {
    const { receipt } = signed;
    const chargedNano = BigInt(receipt.units) * attempt.nano_per_unit;
    const { nodeNano, feeNano } = splitFee(chargedNano, this.#feeBps);
    this.#statements.unhold.run({ account: attempt.payer, nano: attempt.reserved_nano });
    this.#move(`settle:${nameOf(attempt)}:node`, attempt.payer, nodeAccount(attempt.node), nodeNano, at);
    this.#move(`settle:${nameOf(attempt)}:fee`, attempt.payer, operatorAccount, feeNano, at);
    const ack = this.acknowledged(attempt.node);
    this.#statements.saveAck.run({
      node: attempt.node,
      n: BigInt(ack.n + 1),
      cumulativeNano: ack.cumulativeNano + nodeNano,
      receiptsHash: nextReceiptsHash(ack.receiptsHash, receipt),
    });
    const units = BigInt(receipt.units);
    return this.#end(
      attempt,
      { state: "settled", units, charged_nano: chargedNano, fee_nano: feeNano },
      JSON.stringify(signed),
      at,
    );
  }

  #end(
    attempt: AttemptRow,
    outcome: Pick<AttemptRow, "state" | "units" | "charged_nano" | "fee_nano">,
    receipt: string | null,
    at: number,
  ): Settlement {
    this.#statements.endAttempt.run({ ...outcome, id: attempt.id, receipt, ended_at: BigInt(at) });
    return this.#settlementOf({ ...attempt, ...outcome });
  }

  #settlementOf({ node, units, charged_nano, fee_nano }: AttemptRow): Settlement {
    return {
      chargedNano: charged_nano,
      nodeNano: charged_nano - fee_nano,
      feeNano: fee_nano,
      units: Number(units),
      ack: this.acknowledged(node),
    };
  }

  #move(key: string, account: string, counterAccount: string, nano: bigint, at: number): void {
    if (nano === 0n) return;
    this.#touch(account);
    this.#touch(counterAccount);
    this.#statements.insertEntry.run({ key, account, counterAccount, nano, at: BigInt(at) });
    this.#statements.debit.run({ account, nano });
    this.#statements.credit.run({ account: counterAccount, nano });
  }
}
