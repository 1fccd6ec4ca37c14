import { type SessionKeys, sessionIdHex, zeroSession } from "@bombyx/protocol/session";
import { limits } from "@bombyx/protocol/wire";
import type { Answer } from "./answer.ts";
import type { Epoch } from "./epoch.ts";

/** A request that a session has seen: its ciphertext's hash, and its answer while that is kept. */
export interface SeenRequest {
  readonly requestHash: string;
  readonly answer: Answer;
  /** When its last frame was sealed, on the monotonic clock. */
  finalAt: number | undefined;
}

const allUsed = (1n << BigInt(limits.requestsPerSession)) - 1n;

/** A session is keys only (PROTOCOL §5): no sequence and no conversation hangs on it. */
export class Session {
  readonly id: string;
  readonly keys: SessionKeys;
  readonly epoch: Epoch;
  #used = 0n;
  readonly #seen = new Map<number, SeenRequest>();
  #usedAt: number;
  readonly #crashes = new Set<number>();
  #zeroed = false;

  constructor(keys: SessionKeys, epoch: Epoch, now: number) {
    this.id = sessionIdHex(keys);
    this.keys = keys;
    this.epoch = epoch;
    this.#usedAt = now;
  }

  /** The request's answer while it is kept, "used" when it is not, `undefined` when the id is free. */
  seen(request: number, now: number): SeenRequest | "used" | undefined {
    this.#dropOld(now);
    const kept = this.#seen.get(request);
    if (kept) return kept;
    return (this.#used & (1n << BigInt(request))) === 0n ? undefined : "used";
  }

  use(request: number, seen: SeenRequest, now: number): void {
    this.#used |= 1n << BigInt(request);
    this.#seen.set(request, seen);
    this.#usedAt = now;
  }

  /** Whether it ever carried a request; a handshake alone costs its sender nothing. */
  get hasAsked(): boolean {
    return this.#used !== 0n;
  }

  touch(now: number): void {
    this.#usedAt = now;
  }

  answers(): Answer[] {
    return [...this.#seen.values()].map(({ answer }) => answer);
  }

  /** Crash number `crash` of the engine took an answer of this session. @returns how many crashes did. */
  crashed(crash: number): number {
    return this.#crashes.add(crash).size;
  }

  /** Nothing runs and nothing is kept, and it is idle or has used all its request ids. */
  over(now: number): boolean {
    this.#dropOld(now);
    if (this.#seen.size > 0) return false;
    return this.#used === allUsed || now - this.#usedAt >= limits.sessionIdleMs;
  }

  /** Frames are kept for a minute behind FINAL; the request's id stays used. */
  #dropOld(now: number): void {
    for (const [request, { finalAt }] of this.#seen) {
      if (finalAt !== undefined && now - finalAt >= limits.replayMs) this.#seen.delete(request);
    }
  }

  /** Ends what runs and erases the keys. */
  zero(): void {
    if (this.#zeroed) return;
    this.#zeroed = true;
    for (const answer of this.answers()) answer.endNow();
    this.#seen.clear();
    zeroSession(this.keys);
  }
}
