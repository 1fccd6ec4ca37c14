import { type Collateral, quotePlatform } from "@bombyx/protocol/attestation";
import { BombyxError } from "@bombyx/protocol/wire";
import * as z from "zod";

/** Clients want documents of at most seven days; an hour keeps a node far from that and the service unburdened. */
export const collateralTtlMs = 60 * 60_000;

const dated = z.object({
  tcbEvaluationDataNumber: z.int(),
  issueDate: z.iso.datetime().transform((text) => Date.parse(text)),
});

interface Kept {
  readonly collateral: Collateral;
  readonly fetchedAt: number;
}

export interface CollateralCacheOptions {
  /** On a clock that only moves on. */
  readonly monotonicMs: () => number;
  readonly ttlMs?: number;
  /** Told when the service gave less than is kept, or nothing. */
  readonly onTrouble?: (message: string) => void;
}

/**
 * Intel's documents per kind of machine, fetched once an hour. A service that answers with older ones than it
 * has given, or not at all, changes nothing: what is kept is served on, and clients judge its age.
 * @throws what `fetchCollateral` throws, while nothing is kept
 */
export function cachedCollateral(
  fetchCollateral: (quote: Uint8Array) => Promise<Collateral>,
  { monotonicMs, ttlMs = collateralTtlMs, onTrouble = () => {} }: CollateralCacheOptions,
): (quote: Uint8Array) => Promise<Collateral> {
  const kept = new Map<string, Kept>();
  return async (quote) => {
    const { fmspc, ca } = quotePlatform(new Uint8Array(quote));
    const key = `${ca}/${fmspc}`;
    const known = kept.get(key);
    if (known && monotonicMs() - known.fetchedAt < ttlMs) return known.collateral;
    try {
      const collateral = await fetchCollateral(quote);
      if (known) demandNotOlder(collateral, known.collateral);
      kept.set(key, { collateral, fetchedAt: monotonicMs() });
      return collateral;
    } catch (error) {
      if (!known) throw error;
      onTrouble(error instanceof Error ? error.message : String(error));
      return known.collateral;
    }
  };
}

/** @throws BombyxError NODE_FAILED naming the document that went back in time */
function demandNotOlder(next: Collateral, last: Collateral): void {
  for (const field of ["tcb_info", "qe_identity"] as const) {
    const [now, before] = [dated.parse(JSON.parse(next[field])), dated.parse(JSON.parse(last[field]))];
    const older =
      now.tcbEvaluationDataNumber < before.tcbEvaluationDataNumber || now.issueDate < before.issueDate;
    if (older)
      throw new BombyxError(
        "NODE_FAILED",
        `The collateral service answered with an older ${field} than before; the newer one is kept.`,
      );
  }
}
