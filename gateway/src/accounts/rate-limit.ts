import { BombyxError } from "@bombyx/protocol/wire";

export interface Rate {
  /** Refilled evenly over a minute. */
  readonly perMinute: number;
  /** Most at once, after a quiet time. */
  readonly burst: number;
}

interface Bucket {
  tokens: number;
  at: number;
}

/** Buckets remembered before full ones, which say nothing, are swept out. */
const sweepAbove = 10_000;

/** A token bucket per name, in memory of this process. */
export class RateLimiter {
  readonly #what: string;
  readonly #rate: Rate;
  readonly #now: () => number;
  readonly #buckets = new Map<string, Bucket>();

  /** @param what is counted, for the refusal: "requests". */
  constructor(what: string, rate: Rate, now: () => number) {
    this.#what = what;
    this.#rate = rate;
    this.#now = now;
  }

  /** @throws BombyxError RATE_LIMITED with `retryAfterMs`. */
  take(name: string, cost = 1): void {
    const bucket = this.#refilled(name);
    if (bucket.tokens < cost) {
      const { perMinute } = this.#rate;
      throw new BombyxError("RATE_LIMITED", `More than ${perMinute} ${this.#what} a minute: slow down.`, {
        retryAfterMs: Math.ceil(((cost - bucket.tokens) / perMinute) * 60_000),
      });
    }
    bucket.tokens -= cost;
  }

  /** What was taken does not count after all. */
  giveBack(name: string, cost = 1): void {
    const bucket = this.#refilled(name);
    bucket.tokens = Math.min(this.#rate.burst, bucket.tokens + cost);
  }

  #refilled(name: string): Bucket {
    const now = this.#now();
    const { perMinute, burst } = this.#rate;
    const refill = ({ tokens, at }: Bucket) => Math.min(burst, tokens + ((now - at) / 60_000) * perMinute);
    let bucket = this.#buckets.get(name);
    if (bucket === undefined) {
      if (this.#buckets.size >= sweepAbove) {
        for (const [other, kept] of this.#buckets) if (refill(kept) >= burst) this.#buckets.delete(other);
      }
      bucket = { tokens: burst, at: now };
      this.#buckets.set(name, bucket);
    }
    bucket.tokens = refill(bucket);
    bucket.at = now;
    return bucket;
  }
}
