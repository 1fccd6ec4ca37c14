import type { SignedReceipt } from "@bombyx/protocol/wire";
import type { ChannelLedger } from "./channel-ledger.ts";
import type { CreditLedger, PersonPurses } from "./credit.ts";
import type { StatementLedger } from "./statement-reads.ts";

/**
 * Double entry, append-only, in nanoTON; the sum over all accounts is zero after every commit.
 * Runs in a worker thread with group commit: what a promise resolved for outlives the process, and what moves
 * money or lets go of it a power cut, too. A reservation, which charges nobody, is on the disk moments later.
 * Every call is idempotent by its identity.
 *
 * An attempt is `open`, then `settled` or `released`; when its node goes missing it is `lost` first:
 * the money stays held until a receipt, the next attempt or the sweep decides what was delivered.
 */
export interface Ledger extends ChannelLedger, CreditLedger, StatementLedger {
  /**
   * Moves `nano` from the outside world to a sponsor's or channel's account, once per `key`.
   * @throws BombyxError ALREADY_USED (the key moved another amount or paid another account).
   */
  deposit(entry: { key: string; account: string; nano: bigint; at: number }): Promise<void>;
  /**
   * Holds the most that an attempt can cost, before its body is read. A former attempt of the same
   * idempotency id that is `lost` ends here, by its last running receipt.
   * @throws BombyxError ALLOWANCE_EXHAUSTED, SPONSOR_EMPTY; of a channel CHANNEL_CLOSING, VOUCHER_REQUIRED; ATTEMPT_OPEN (this idempotency id has an attempt that did
   * not end), ALREADY_USED (it was answered already, or cut short and not named as lost, or session and request were used with other content),
   * BAD_REQUEST (the lost attempt named is not one of this account and idempotency id).
   */
  reserve(attempt: Attempt): Promise<Reservation>;
  /**
   * Settles an attempt by its receipt: payer debited, node credited, operator's fee; the rest is
   * released. A `running` receipt is only remembered, and counts when the node is lost.
   * The signature is the caller's to check: it is kept, and answered by `receiptOf`.
   * The same receipt again answers the same; so does one that comes after a lost attempt ended.
   * @throws BombyxError RECEIPT_INVALID (no such reservation, disagreeing ids, another receipt settled it),
   * QUARANTINED (units above the cap: the attempt stays as it was, the caller ends it with `lose`).
   */
  settle(signed: SignedReceipt, at: number): Promise<Settlement>;
  /**
   * The attempt's node is gone: the money stays held for a receipt that the client or the returning
   * node presents, until `lose`, the next attempt of this idempotency id, or `sweep`.
   */
  markLost(attempt: AttemptId, at: number): Promise<void>;
  /**
   * `node` is back and still answers: what was `lost` is `open` again, its money held as before.
   * @returns since when it was lost; undefined when it is not lost, or is another node's.
   */
  reopen(attempt: AttemptId, node: string): Promise<number | undefined>;
  /** Ends an attempt whose node is gone: pays its last running receipt, releases the rest. Then another attempt is admitted. */
  lose(attempt: AttemptId, at: number): Promise<Settlement>;
  /** Ends an attempt that never reached a node, or that the node refused unbilled. One that ended stays as it is. */
  release(attempt: AttemptId, at: number): Promise<void>;
  balance(account: string): Promise<{ availableNano: bigint; reservedNano: bigint }>;
  /** The receipt that settled an attempt; before that, the last running one. */
  receiptOf(attempt: AttemptId): Promise<SignedReceipt | undefined>;
  attemptOf(attempt: AttemptId): Promise<AttemptRecord | undefined>;
  /** What the gateway has acknowledged to a node so far; zero for an unknown node. */
  acknowledged(node: string): Promise<AckState>;
  /** The same, and a place in the epochs' trees for a node that had none. */
  standing(node: string, at: number): Promise<Standing>;
  /** What stands now for every node that has a place, and for every account that asked: what an epoch is made of. */
  snapshot(): Promise<LedgerSnapshot>;
  /** Ends attempts that are lost since before `before` (those open when the process died, too). @returns how many. */
  sweep(before: number, at: number): Promise<number>;
  /** For tests and the audit page: recomputes everything from the entries. @throws when balances disagree with them. */
  audit(): Promise<{ sumNano: bigint; openReservations: number; entries: number }>;
  close(): Promise<void>;
}

/** Attempts of one idempotency id that need not pay for their prompt; a client gives up after two. */
export const continuationsMost = 4;

/** Names a reservation: one request id of one session. */
export interface AttemptId {
  readonly session: string;
  readonly request: number;
}

export interface Attempt extends AttemptId {
  readonly account: string;
  /** Whose money: a sponsor or channel account. Of a reservation that was made: the account it was drawn on. */
  readonly payer: string;
  /** A person's allowance and credit, which stand before `payer`'s own money. */
  readonly person?: PersonPurses;
  readonly node: string;
  readonly attestationId: string;
  readonly idempotencyId: string;
  readonly priceId: string;
  readonly nanoPerUnit: bigint;
  readonly coefficient: number;
  /** Padded size of the request; its prompt has at most so many bytes. */
  readonly requestBytes: number;
  /** What an uninterrupted attempt may cost, and what a continuation may (its prompt is paid already). */
  readonly capUnits: number;
  readonly continuationCapUnits: number;
  /** The attempt that this one takes over from. */
  readonly lostAttempt?: AttemptId;
  readonly at: number;
}

export interface Reservation {
  /**
   * The named lost attempt was paid for its prompt: this one is not billed for it again. Only where it can
   * be that prompt and what was delivered of its answer, and at most {@link continuationsMost} times.
   */
  readonly continuation: boolean;
  /** The cap that holds: `continuationCapUnits` for a continuation, else `capUnits`. */
  readonly capUnits: number;
  /** This very attempt was reserved before: forward it as a resumption, the node answers from its buffer. */
  readonly repeated: boolean;
}

export type AttemptState = "open" | "lost" | "settled" | "released";

export interface AttemptRecord extends Attempt {
  readonly state: AttemptState;
  readonly continuation: boolean;
}

/** SETTLEMENT "Acks": advanced in the transaction that settles. */
export interface AckState {
  /** Receipts that paid this node, counted. */
  readonly n: number;
  /** Units of those receipts. */
  readonly units: number;
  readonly cumulativeNano: bigint;
  /** H(previous ‖ H(receipt)), hex; 32 zero bytes before the first. */
  readonly receiptsHash: string;
  /** Its place in every epoch's tree, for ever; null before its first receipt. */
  readonly index: number | null;
  /** When it got that place, ms since epoch; 0 for a node from before there were places. */
  readonly sinceAt: number;
}

/** Of a node that has its place: what an Ack says. */
export interface Standing extends AckState {
  readonly index: number;
}

/** Cumulative, as of one moment between two calls. */
export interface LedgerSnapshot {
  /** By place, without gaps. */
  readonly nodes: readonly (Standing & { readonly node: string })[];
  readonly clients: readonly { readonly account: string; readonly chargedNano: bigint }[];
}

export interface Settlement {
  readonly chargedNano: bigint;
  readonly nodeNano: bigint;
  readonly feeNano: bigint;
  readonly units: number;
  /** The node's acknowledgement after it. */
  readonly ack: Standing;
}
