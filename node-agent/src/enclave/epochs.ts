import { zeroKem } from "@bombyx/protocol/session";
import { BombyxError, limits } from "@bombyx/protocol/wire";
import type { Clock } from "../clock.ts";
import { type Epoch, type EpochSources, newEpoch } from "./epoch.ts";

/** The next epoch is made this long before the current one stops taking requests. */
const aheadMs = 5 * 60_000;
const retryMs = 15_000;

export interface EpochEvents {
  /** A new epoch is there to be published. */
  onEpoch(epoch: Epoch): void;
  /** Its last minute is over; its keys are zeroed after this returns. */
  onEnd(epoch: Epoch): void;
  /** The next epoch could not be made; it is tried again. */
  onError(error: unknown): void;
}

/** One epoch after another: 60 min for new requests, 70 min for running ones, then erased. */
export class Epochs {
  readonly #sources: EpochSources;
  readonly #clock: Clock;
  readonly #events: EpochEvents;
  readonly #live: Epoch[] = [];
  readonly #timers = new Set<() => void>();
  #count = 0;
  #closed = false;

  constructor(sources: EpochSources, clock: Clock, events: EpochEvents) {
    this.#sources = sources;
    this.#clock = clock;
    this.#events = events;
  }

  /** Makes the first epoch. @throws what `newEpoch` throws: a node without a quote does not start. */
  start(): Promise<void> {
    return this.#make();
  }

  /** The newest. */
  get current(): Epoch {
    const epoch = this.#live.at(-1);
    if (!epoch) throw new BombyxError("NODE_FAILED", "This node has no epoch: its keys were erased.");
    return epoch;
  }

  /** False from 60 min on: no handshake and no new request. */
  open(epoch: Epoch): boolean {
    return this.#clock.monotonicMs() - epoch.startedAt < limits.epochMs;
  }

  /** The open epoch with these ids, if any. */
  find(attestationId: string): Epoch | undefined {
    return this.#live.find((epoch) => epoch.attestationId === attestationId && this.open(epoch));
  }

  close(): void {
    this.#closed = true;
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
    for (const epoch of this.#live.splice(0)) this.#erase(epoch);
  }

  async #make(): Promise<void> {
    const epoch = await newEpoch(++this.#count, this.#sources, () => this.#clock.monotonicMs());
    if (this.#closed) {
      zeroKem(epoch.kem);
      return;
    }
    this.#live.push(epoch);
    this.#after(limits.epochMs - aheadMs, () => this.#renew());
    this.#after(limits.epochGraceMs, () => {
      this.#live.splice(this.#live.indexOf(epoch), 1);
      this.#erase(epoch);
    });
    this.#events.onEpoch(epoch);
  }

  #renew(): void {
    this.#make().catch((error: unknown) => {
      this.#events.onError(error);
      if (!this.#closed) this.#after(retryMs, () => this.#renew());
    });
  }

  #erase(epoch: Epoch): void {
    this.#events.onEnd(epoch);
    zeroKem(epoch.kem);
  }

  #after(ms: number, task: () => void): void {
    const cancel = this.#clock.after(ms, () => {
      this.#timers.delete(cancel);
      task();
    });
    this.#timers.add(cancel);
  }
}
