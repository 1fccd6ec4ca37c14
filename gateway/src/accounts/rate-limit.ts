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

/** Buckets remembered before full ones, which say nothing, are swept out; at most once a second, because each is looked at. */
const sweepAbove = 10_000;
const sweepEveryMs = 1_000;

/**
 * The name under which what comes from an address is counted: a whole /64 of IPv6, because one machine has as
 * many addresses of it as it likes.
 */
export function networkOf(address: string | undefined): string {
  if (address === undefined || !address.includes(":")) return address ?? "unknown";
  const mapped = /^::ffff:(\d+(?:\.\d+){3})$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [head = "", tail] = (address.split("%", 1)[0] ?? "").toLowerCase().split("::");
  const groups = (part: string) => (part === "" ? [] : part.split(":"));
  const [before, after] = [groups(head), groups(tail ?? "")];
  const zeros = Array<string>(Math.max(0, 8 - before.length - after.length)).fill("0");
  return `${[...before, ...zeros, ...after].slice(0, 4).join(":")}::/64`;
}

/** A token bucket per name, in memory of this process. */
export class RateLimiter {
  readonly #what: string;
  readonly #rate: Rate;
  readonly #now: () => number;
  readonly #buckets = new Map<string, Bucket>();
  #sweptAt = Number.NEGATIVE_INFINITY;

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
      if (this.#buckets.size >= sweepAbove && Math.abs(now - this.#sweptAt) >= sweepEveryMs) {
        this.#sweptAt = now;
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
