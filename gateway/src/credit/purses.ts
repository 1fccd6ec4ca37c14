import type { Principal } from "../accounts/accounts.ts";
import type { PersonPurses } from "../ledger/credit.ts";
import { creditAccount } from "../ledger/money.ts";

/** What people get on their bot developer's account; the operator's to decide. */
export interface CreditPolicy {
  /** The most that one Telegram user's requests of a UTC day may cost free of charge, over all bots. */
  readonly allowanceNano: bigint;
  /** Bought credit below this is told as low. */
  readonly lowCreditNano: bigint;
  /** A sponsor's deposit below this is told as low. */
  readonly lowDepositNano: bigint;
}

/** A day's allowance is some hundred answers at the built-in price. */
export const defaultCreditPolicy: CreditPolicy = {
  allowanceNano: 20_000_000n,
  lowCreditNano: 2_000_000n,
  lowDepositNano: 500_000_000n,
};

/** Whose money a request is, before it comes to a sponsor's own (SETTLEMENT "Who pays"). */
export class Purses {
  readonly policy: CreditPolicy;

  constructor(policy: CreditPolicy = defaultCreditPolicy) {
    this.policy = policy;
  }

  /** Undefined for whoever pays by themselves: a developer, and a person with a channel. */
  of({ person, payer }: Principal): PersonPurses | undefined {
    if (person === undefined || payer.startsWith("channel:")) return undefined;
    const { botId, userId } = person;
    return {
      user: userId,
      allowanceNano: this.policy.allowanceNano,
      credit: creditAccount(botId, userId),
    };
  }
}
