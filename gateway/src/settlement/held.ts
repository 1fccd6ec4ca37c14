import type { AckState } from "../ledger/ledger.ts";

/**
 * Part of what a node has earned that no epoch takes yet: all of it when the node gets its place, nothing `heldMs`
 * later, in between in proportion. So what is let go never falls, neither with time nor with earnings, and an epoch
 * built after an Ack holds at least what the Ack let go.
 */
export function heldNano(
  { cumulativeNano, sinceAt }: Pick<AckState, "cumulativeNano" | "sinceAt">,
  at: number,
  heldMs: number,
): bigint {
  const age = Math.max(0, at - sinceAt);
  if (age >= heldMs) return 0n;
  return cumulativeNano - (cumulativeNano * BigInt(age)) / BigInt(heldMs);
}
