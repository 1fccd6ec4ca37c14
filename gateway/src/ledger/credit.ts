import type { Purse } from "@bombyx/protocol/wire";

/**
 * What stands before a person's payer: a daily allowance, drawn on the payer (the bot developer's sponsor
 * account), then Stars credit, which is an account of the person's own (SETTLEMENT "Who pays").
 */
export interface PersonPurses {
  /** Telegram user id: one allowance over all bots. */
  readonly user: number;
  /** The most that one UTC day's requests may cost, those that run at their maximum. */
  readonly allowanceNano: bigint;
  /** Ledger account of the credit. */
  readonly credit: string;
}

export interface CreditOffer {
  /** The developer's account that the credit is promised from. */
  readonly sponsor: string;
  /** The person's credit account. */
  readonly credit: string;
  /** Once per account: the same again is the same offer. */
  readonly id: string;
  readonly nano: bigint;
  readonly expiresAt: number;
  readonly at: number;
}

export interface CreditSale {
  readonly sponsor: string;
  readonly credit: string;
  /** Names the payment, once and for ever. */
  readonly charge: string;
  readonly stars: number;
  readonly nano: bigint;
  readonly at: number;
}

export interface CreditRefund {
  readonly sponsor: string;
  readonly credit: string;
  readonly charge: string;
  readonly at: number;
}

/** One payment in Stars, as the ledger knows it. */
export interface StarPaymentRecord {
  readonly charge: string;
  readonly stars: number;
  readonly nano: bigint;
  readonly at: number;
  readonly refundedAt: number | null;
  readonly takenBackNano: bigint;
  /** What the credit account has now, holds of running requests included. */
  readonly creditNano: bigint;
}

export interface Funds {
  /** Of the payer. */
  readonly availableNano: bigint;
  readonly reservedNano: bigint;
  /** Of the person's credit; 0 for a developer. */
  readonly creditNano: bigint;
  readonly creditReservedNano: bigint;
  /** What of today's allowance is used or held. */
  readonly allowanceUsedNano: bigint;
}

/**
 * Credit is moved out of the sponsor's account when it is sold, so all promises together never exceed the
 * deposit. Every call is idempotent by the name that it carries.
 */
export interface CreditLedger {
  /**
   * Holds what is on sale of the sponsor's deposit, until it is sold or `expiresAt`.
   * @throws BombyxError CREDIT_UNAVAILABLE (the deposit has less left), RATE_LIMITED (too many offers open),
   * ALREADY_USED (the id was for something else, or has ended).
   */
  offerCredit(offer: CreditOffer): Promise<{ expiresAt: number }>;
  /**
   * Moves credit from the sponsor to the person, once per charge; an open offer of that amount is used for it.
   * One whose refund was heard of before moves nothing.
   * @throws BombyxError CREDIT_UNAVAILABLE, ALREADY_USED (the charge was another payment).
   */
  sellCredit(sale: CreditSale): Promise<StarPaymentRecord>;
  /**
   * Takes back what is left of a payment, at most what it bought; what was spent is the sponsor's loss. A
   * charge that is not known yet is remembered, so that its payment, when it comes, moves nothing.
   * @throws BombyxError ALREADY_USED (the charge is another person's).
   */
  refundCredit(refund: CreditRefund): Promise<StarPaymentRecord>;
  /** Lets go of offers that ended before `at`. @returns how many. */
  expireOffers(at: number): Promise<number>;
  /** What there is to spend. */
  funds(of: { payer: string; person?: PersonPurses; at: number }): Promise<Funds>;
}

/** What a reservation was drawn on. */
export interface Drawn {
  readonly payer: string;
  readonly purse: Purse;
  readonly allowanceUser: bigint | null;
  readonly allowanceDay: bigint | null;
}

export const dayMs = 86_400_000;
/** UTC days since the epoch. */
export const dayOf = (at: number): number => Math.floor(at / dayMs);
