/** What the explorer's page shows; amounts are nano in decimal, times ms since epoch. */

export interface Party {
  /** Friendly form. */
  readonly address: string;
  readonly name: string;
  readonly kind: "vault" | "registry" | "channel" | "node-account" | "wallet" | "faucet" | "empty" | "other";
}

/** A message in words. */
export interface Told {
  readonly title: string;
  readonly facts: readonly (readonly [label: string, value: string])[];
}

/** One transaction: what an account did with one message, and what came of it. */
export interface Step {
  readonly hash: string;
  readonly lt: number;
  readonly seqno: number;
  readonly at: number;
  readonly account: Party;
  /** Absent for a message from outside. */
  readonly from?: Party | undefined;
  readonly valueNano: string;
  readonly told: Told;
  readonly feeNano: string;
  /** Why the account refused, in words. */
  readonly refused?: string | undefined;
  readonly next: readonly (Step | Waiting)[];
}

/** A message on its way. */
export interface Waiting {
  readonly waiting: true;
  readonly due: number;
  readonly to: Party;
  readonly from?: Party | undefined;
  readonly valueNano: string;
  readonly told: Told;
}

export interface EpochReport {
  readonly epoch: number;
  readonly committedNano: string;
  readonly units: string;
  readonly requests: string;
  readonly root: string;
  readonly at: number;
  readonly hash: string;
  readonly state: "pending" | "final" | "stopped";
  /** Of a pending one: when it becomes final. */
  readonly finalAt?: number | undefined;
}

export interface AccountReport {
  readonly party: Party;
  readonly balanceNano: string;
  readonly state: string;
  /** What its own get-method says, in words. */
  readonly facts: readonly (readonly [label: string, value: string])[];
}

export interface Overview {
  readonly seqno: number;
  /** Of the contracts. */
  readonly time: number;
  readonly skippedMs: number;
  readonly blockDelay: number;
  readonly transactions: number;
  readonly vault: readonly (readonly [label: string, nano: string])[];
  readonly accounts: readonly AccountReport[];
  readonly epochs: readonly EpochReport[];
  /** Newest first. */
  readonly recent: readonly (Step | Waiting)[];
}
