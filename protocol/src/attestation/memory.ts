import * as z from "zod";
import { count } from "../wire/encoding.ts";

const decimal = z.string().regex(/^(0|[1-9][0-9]*)$/);

/** What a client has seen Intel and the release keys sign; plain data, so that it can be kept across starts. */
export const seenSchema = z.strictObject({
  v: z.literal(1),
  /** By root (SHA-256) and issuer: the newest revocation list. */
  crls: z.record(
    z.string(),
    z.strictObject({ number: decimal, thisUpdate: count, revoked: z.array(z.string()) }),
  ),
  /** By root and document: the highest evaluation number. */
  evaluations: z.record(z.string(), count),
  /** The highest version of a release manifest, by its signing keys. */
  releases: z.record(z.string(), count),
});
export type Seen = z.infer<typeof seenSchema>;

/**
 * What makes a rollback visible (PROTOCOL §4 steps 3, 4 and 8): collateral is served by hands that nobody
 * trusts, and yesterday's is as well signed as today's.
 */
export interface TrustMemory {
  recall(): Seen;
  /** Called only with what was verified. */
  remember(seen: Seen): void;
}

export const nothingSeen: Seen = { v: 1, crls: {}, evaluations: {}, releases: {} };

/**
 * Memory of this process; `keep` may write it somewhere, and `initial` is what was written.
 * @throws ZodError when `initial` is not such data.
 */
export function trustMemory(initial: unknown = nothingSeen, keep?: (seen: Seen) => void): TrustMemory {
  let seen = seenSchema.parse(initial);
  return {
    recall: () => seen,
    remember(next) {
      if (next === seen) return;
      seen = next;
      keep?.(seen);
    },
  };
}
