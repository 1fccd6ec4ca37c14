import { type SessionKeys, sessionIdHex, zeroSession } from "@bombyx/protocol/session";
import { BombyxError, type Candidate, limits, type Price } from "@bombyx/protocol/wire";
import type { Proof } from "../trust/proof.ts";
import type { NodeVerdict, Verified } from "../trust/verifier.ts";

/** A successor is opened when fewer ids or less time than this are left. */
const wornRequestsLeft = 8;
const wornMs = 2 * 60_000;
/** Not used any more this long before the node forgets it, so that a request does not meet its end. */
const idleMarginMs = 60_000;

/** One open session with one verified node: keys, and which request ids are used. */
export class Session {
  readonly id: string;
  readonly keys: SessionKeys;
  readonly proof: Proof;
  readonly candidate: Candidate;
  readonly price: Price;
  #nextRequest = 0;
  #lastUsedAt: number;
  #running = 0;
  #closed = false;

  constructor(keys: SessionKeys, verified: Verified, candidate: Candidate, price: Price, now: number) {
    this.id = sessionIdHex(keys);
    this.keys = keys;
    this.proof = { ...verified, name: candidate.name, owner: candidate.owner, openedAt: now };
    this.candidate = candidate;
    this.price = price;
    this.#lastUsedAt = now;
  }

  get verdict(): NodeVerdict {
    return this.proof.verdict;
  }

  get node(): string {
    return this.candidate.node;
  }

  /** Request ids left. */
  get requestsLeft(): number {
    return limits.requestsPerSession - this.#nextRequest;
  }

  usable(now: number): boolean {
    return (
      !this.#closed &&
      this.requestsLeft > 0 &&
      now < this.verdict.validUntil &&
      (this.#running > 0 || now < this.#lastUsedAt + limits.sessionIdleMs - idleMarginMs)
    );
  }

  /** Still usable, but a successor should be opened ahead. */
  worn(now: number): boolean {
    return this.requestsLeft <= wornRequestsLeft || now > this.verdict.validUntil - wornMs;
  }

  /** Takes the next request id; give it back with {@link end} when its answer is over. */
  begin(now: number): number {
    if (this.#closed || this.requestsLeft === 0) {
      throw new BombyxError("SESSION_UNKNOWN", "This session is over; open another.");
    }
    this.#lastUsedAt = now;
    this.#running++;
    return this.#nextRequest++;
  }

  end(now: number): void {
    this.#lastUsedAt = now;
    this.#running--;
    if (this.#closed && this.#running === 0) zeroSession(this.keys);
  }

  /** No new requests; the keys are zeroed as soon as nothing runs. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#running === 0) zeroSession(this.keys);
  }
}
