/** What the scheduler knows of one model on one node. The numbers are live; the fleet owns them. */
export interface Offer {
  readonly node: string;
  /** Opaque tag of the node's owner. */
  readonly owner: string;
  /** False while the node is draining, quarantined, not linked or not attested. */
  readonly available: boolean;
  /** The attestation is good until here, ms since epoch. */
  readonly validUntil: number;
  readonly slots: number;
  readonly inFlight: number;
  readonly queued: number;
  /** How many may wait; beyond it the node is full. */
  readonly queueLimit: number;
  /** EWMA of the time a request holds a slot. */
  readonly serviceMs: number;
  /** At least 1; grows with recent failures. */
  readonly penalty: number;
}

/** Expected time until a request that comes now is served there, weighted by `penalty`. Lower is better. */
export const cost = ({ serviceMs, inFlight, queued, slots, penalty }: Offer): number =>
  ((serviceMs * (inFlight + queued + 1)) / slots) * penalty;

export const full = ({ inFlight, slots, queued, queueLimit }: Offer): boolean =>
  inFlight >= slots && queued >= queueLimit;

export const servable = (offer: Offer, now: number): boolean => offer.available && now < offer.validUntil;

/** Weight of the newest observation in {@link nextServiceMs}. */
const alpha = 0.2;

/** EWMA after one more request that held its slot for `observedMs`. */
export const nextServiceMs = (serviceMs: number, observedMs: number): number =>
  serviceMs + alpha * (observedMs - serviceMs);

/** Fails double a node's cost up to 16 times, each success halves it again. */
export const nextPenalty = (penalty: number, failed: boolean): number =>
  failed ? Math.min(16, penalty * 2) : Math.max(1, penalty / 2);

/** Half of what was observed is forgotten in this time, ms. */
const memoryHalfLifeMs = 30_000;

/**
 * What an observation is worth `idleMs` later: it drifts back to what was `expected` before any. Without
 * this, a node that looked bad once would get no request by which it could show better.
 */
export const remembered = (observed: number, expected: number, idleMs: number): number =>
  expected + (observed - expected) * 0.5 ** (Math.max(0, idleMs) / memoryHalfLifeMs);

/**
 * Before its first request a node is judged by its own benchmark: a typical request has 512 prompt
 * and 128 completion tokens, and all slots share the decoding speed.
 */
export function expectedServiceMs(offer: {
  slots: number;
  prefillTokensPerSecond: number;
  decodeTokensPerSecond: number;
}): number {
  const prefill = 512 / Math.max(1, offer.prefillTokensPerSecond);
  const decode = 128 / (Math.max(1, offer.decodeTokensPerSecond) / offer.slots);
  return 1_000 * (prefill + decode);
}
