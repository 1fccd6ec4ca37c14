/** Why no epoch goes on; each is for the operator to mend. */
export const settlementProblems = [
  /** Two endpoints do not say the same, or fewer than two answer. */
  "chain",
  /** The vault has another commit key, or another ack key. */
  "keys",
  /** The ledger owes nodes more than was paid into the vault. */
  "uncovered",
  /** The commit key's wallet has no money for a commit. */
  "committer-empty",
  /** The vault refused a commit. */
  "refused",
  /** The vault has a root that this gateway did not build. */
  "foreign-root",
  /** A root was vetoed or disputed. */
  "root-gone",
] as const;
export type SettlementProblem = (typeof settlementProblems)[number];

/** What the operator watches. */
export interface SettlementState {
  readonly epoch: number;
  /** How long ago the ledger was read for the last epoch; 0 before the first. */
  readonly ageMs: number;
  readonly pending: boolean;
  readonly committedNano: bigint;
  readonly committerNano: bigint;
  readonly readAt: number;
  readonly problems: ReadonlySet<SettlementProblem>;
}
