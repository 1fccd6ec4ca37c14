import { limits } from "@bombyx/protocol/wire";

interface Stallable {
  stalled(): void;
}

/** Clients that are waited for: readers whose buffers are full, senders of a body. Whoever stays so for `limits.readerStallMs` is cut off. */
export class StallWatch {
  readonly #now: () => number;
  readonly #since = new Map<Stallable, number>();

  constructor(now: () => number) {
    this.#now = now;
  }

  add(reader: Stallable): void {
    if (!this.#since.has(reader)) this.#since.set(reader, this.#now());
  }

  delete(reader: Stallable): void {
    this.#since.delete(reader);
  }

  /** Cuts off whoever stalls too long; called about every second. */
  check(): void {
    for (const [reader, since] of this.#since) {
      if (this.#now() - since < limits.readerStallMs) return;
      this.#since.delete(reader);
      reader.stalled();
    }
  }
}
