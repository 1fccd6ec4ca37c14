import type { Receipt } from "@bombyx/protocol/wire";

/**
 * Double entry, append-only, in nanoTON; the sum over all accounts is zero after every commit.
 * Runs in a worker thread with group commit (≤ 2 ms window): a promise resolves when its entries are durable.
 * Every call is idempotent by its identity.
 */
export interface Ledger {
  /** Moves `nano` from the outside world to a sponsor's or channel's account, once per `key`. */
  deposit(entry: { key: string; account: string; nano: bigint; at: number }): Promise<void>;
  /**
   * Holds the most that an attempt can cost, before its body is read.
   * @throws BombyxError ALLOWANCE_EXHAUSTED, ATTEMPT_OPEN (this idempotency id has an attempt that did
   * not end without FINAL), ALREADY_USED (session and request were used with other content).
   */
  reserve(attempt: Attempt): Promise<{ continuation: boolean }>;
  /**
   * Settles an attempt by its receipt: payer debited, node credited, operator's fee; the rest is
   * released. A `running` receipt is only remembered, and counts when the node is lost.
   * Settling the same receipt again answers the same.
   * @throws BombyxError RECEIPT_INVALID (no such reservation, disagreeing ids, units above the cap → QUARANTINED).
   */
  settle(receipt: Receipt, at: number): Promise<Settlement>;
  /** Ends an attempt whose node is gone: pays its last running receipt, releases the rest. Then another attempt is admitted. */
  lose(attempt: AttemptId, at: number): Promise<Settlement>;
  /** Ends an attempt that never reached a node, or that the node refused unbilled. */
  release(attempt: AttemptId, at: number): Promise<void>;
  balance(account: string): Promise<{ availableNano: bigint; reservedNano: bigint }>;
  /** Ends attempts that were open when the process died and that no receipt came for by `before`. @returns how many. */
  sweep(before: number): Promise<number>;
  /** For tests and the audit page: sum over all accounts (0n), number of open reservations. */
  audit(): Promise<{ sumNano: bigint; openReservations: number; entries: number }>;
  close(): Promise<void>;
}

/** Names a reservation: one request id of one session. */
export interface AttemptId {
  readonly session: string;
  readonly request: number;
}

export interface Attempt extends AttemptId {
  readonly account: string;
  /** Whose money: a sponsor or channel account. */
  readonly payer: string;
  readonly node: string;
  readonly attestationId: string;
  readonly idempotencyId: string;
  readonly priceId: string;
  readonly nanoPerUnit: bigint;
  readonly coefficient: number;
  /** What an uninterrupted attempt may cost, and what a continuation may (its prompt is paid already). */
  readonly capUnits: number;
  readonly continuationCapUnits: number;
  /** The attempt that this one takes over from. */
  readonly lostAttempt?: AttemptId;
  readonly at: number;
}

export interface Settlement {
  readonly chargedNano: bigint;
  readonly nodeNano: bigint;
  readonly feeNano: bigint;
  readonly units: number;
}
