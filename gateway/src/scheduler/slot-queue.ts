import { BombyxError } from "@bombyx/protocol/wire";

/** A place on a node: taken at admission, given back when the attempt ends. */
export interface Lease {
  /** Resolves when a slot is this lease's own. @throws BombyxError NODE_BUSY at the deadline. */
  readonly ready: Promise<void>;
  /** Gives the slot, or the place in the queue, back; calling it again does nothing. */
  release(): void;
}

interface Waiter {
  readonly grant: () => void;
}

/**
 * The sequences of one model on one node, leased per request: `slots` run, at most `limit` wait in
 * order, none longer than `deadlineMs`. Sessions hold nothing here.
 */
export class SlotQueue {
  #slots: number;
  #inFlight = 0;
  readonly #limit: number;
  readonly #deadlineMs: number;
  readonly #waiting = new Set<Waiter>();

  constructor(options: { slots: number; limit: number; deadlineMs: number }) {
    this.#slots = options.slots;
    this.#limit = options.limit;
    this.#deadlineMs = options.deadlineMs;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get queued(): number {
    return this.#waiting.size;
  }

  get limit(): number {
    return this.#limit;
  }

  get slots(): number {
    return this.#slots;
  }

  set slots(slots: number) {
    this.#slots = slots;
    this.#grantNext();
  }

  /** @returns undefined when the queue is full. */
  enter(): Lease | undefined {
    if (this.#inFlight < this.#slots) return this.hold();
    if (this.#waiting.size >= this.#limit) return undefined;
    return this.#wait();
  }

  /** For what runs on the node already: it holds a slot, and were there none left, others wait until it ends. */
  hold(): Lease {
    this.#inFlight++;
    return { ready: Promise.resolve(), release: once(() => this.#free()) };
  }

  #wait(): Lease {
    const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
    // A caller that gave up before awaiting must not crash the process.
    ready.catch(() => undefined);
    let granted = false;
    const waiter: Waiter = {
      grant: () => {
        clearTimeout(deadline);
        granted = true;
        resolve();
      },
    };
    this.#waiting.add(waiter);
    const deadline = setTimeout(() => {
      this.#waiting.delete(waiter);
      reject(
        new BombyxError(
          "NODE_BUSY",
          `No slot came free on this node in ${this.#deadlineMs} ms; use another.`,
        ),
      );
    }, this.#deadlineMs);
    const release = once(() => {
      clearTimeout(deadline);
      if (granted) return this.#free();
      this.#waiting.delete(waiter);
      reject(new BombyxError("CANCELLED", "The request left the queue."));
    });
    return { ready, release };
  }

  #free(): void {
    this.#inFlight--;
    this.#grantNext();
  }

  #grantNext(): void {
    for (const waiter of this.#waiting) {
      if (this.#inFlight >= this.#slots) return;
      this.#waiting.delete(waiter);
      this.#inFlight++;
      waiter.grant();
    }
  }
}

function once(action: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    action();
  };
}
