import { cost, full, type Offer, servable } from "./offer.ts";

export interface PickOptions {
  /** Node ids that must not be offered. */
  readonly not?: ReadonlySet<string>;
  readonly now: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** How many candidates at most; default 5. */
  readonly count?: number;
}

const sampleSize = 8;

/**
 * Up to `count` offers, cheapest first: the best of eight sampled ones. Eight are within a few
 * percent of looking at the whole fleet, cost the same at ten thousand nodes as at ten, and keep
 * clients that ask at the same moment from all going to the same node.
 */
export function pick<T extends Offer>(offers: readonly T[], options: PickOptions): T[] {
  const eligible = (offer: T): boolean =>
    servable(offer, options.now) && !full(offer) && !options.not?.has(offer.node);
  return sample(offers, eligible, options.random)
    .map((offer) => ({ offer, cost: cost(offer) }))
    .sort((a, b) => a.cost - b.cost)
    .slice(0, options.count ?? 5)
    .map(({ offer }) => offer);
}

/**
 * Weights for clients that choose at random among verified candidates: the best has 1. The fourth
 * power sends most of them to the best and leaves the rest for when it is refused.
 */
export function scores(picked: readonly Offer[]): number[] {
  const best = picked[0];
  if (!best) return [];
  return picked.map((offer) => Math.max(1e-6, (cost(best) / cost(offer)) ** 4));
}

/** Why nothing was picked: nobody serves it, or everybody is full; `retryAfterMs` is when a slot should be free. */
export function shortage(
  offers: readonly Offer[],
  now: number,
): { reason: "none" } | { reason: "full"; retryAfterMs: number } {
  let soonest = Number.POSITIVE_INFINITY;
  for (const offer of offers) {
    if (servable(offer, now)) soonest = Math.min(soonest, offer.serviceMs / offer.slots);
  }
  if (soonest === Number.POSITIVE_INFINITY) return { reason: "none" };
  return { reason: "full", retryAfterMs: Math.max(1_000, Math.ceil(soonest)) };
}

function sample<T extends Offer>(
  offers: readonly T[],
  eligible: (offer: T) => boolean,
  random: () => number,
): T[] {
  if (offers.length <= 4 * sampleSize) return draw(offers.filter(eligible), random);
  const tried = new Set<number>();
  const found: T[] = [];
  for (let i = 0; i < 4 * sampleSize && found.length < sampleSize; i++) {
    const at = Math.floor(random() * offers.length);
    const offer = offers[at];
    if (!offer || tried.has(at)) continue;
    tried.add(at);
    if (eligible(offer)) found.push(offer);
  }
  if (found.length === sampleSize) return found;
  // Most of the fleet is not eligible: look at all of it, rather than miss the few that are.
  return draw(offers.filter(eligible), random);
}

/** Eight of `offers` without repetition (a partial Fisher-Yates shuffle); all when there are fewer. */
function draw<T>(offers: T[], random: () => number): T[] {
  for (let i = 0; i < sampleSize && i < offers.length - 1; i++) {
    const j = i + Math.floor(random() * (offers.length - i));
    [offers[i], offers[j]] = [offers[j] as T, offers[i] as T];
  }
  return offers.slice(0, sampleSize);
}
