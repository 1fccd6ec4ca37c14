import type { LlamaContext, LlamaContextSequence } from "node-llama-cpp";

/** One llama.cpp sequence and the session whose text its KV cache holds. */
export interface Lane {
  readonly sequence: LlamaContextSequence;
  readonly session: string;
}

interface Place {
  sequence: LlamaContextSequence;
  /** Session whose text is in the cache; undefined when it is erased. */
  session: string | undefined;
  busy: boolean;
  /** Its session was forgotten while it ran. */
  eraseAfterUse: boolean;
  usedAt: number;
}

interface Waiter {
  readonly session: string;
  readonly grant: (lane: Lane) => void;
  readonly refuse: (error: unknown) => void;
}

/**
 * Leases sequences, first come first served. A sequence stays with its session after a request, so that
 * the next one finds its prefix; when another session needs it, the one unused for longest is erased
 * first. Text of one session is never in a sequence that another one holds. Erased means that llama.cpp
 * no longer knows the cells: no query reaches them, their bytes stay until they are written over.
 */
export class Lanes {
  readonly #context: LlamaContext;
  readonly #places: Place[];
  readonly #waiting: Waiter[] = [];
  #uses = 0;

  constructor(context: LlamaContext, slots: number) {
    this.#context = context;
    this.#places = Array.from({ length: slots }, () => ({
      sequence: context.getSequence(),
      session: undefined,
      busy: false,
      eraseAfterUse: false,
      usedAt: 0,
    }));
  }

  /** @throws the signal's reason when it is aborted while waiting. */
  acquire(session: string, signal: AbortSignal): Promise<Lane> {
    return new Promise((grant, refuse) => {
      if (signal.aborted) return refuse(signal.reason);
      const stop = (): void => {
        const at = this.#waiting.indexOf(waiter);
        if (at < 0) return;
        this.#waiting.splice(at, 1);
        refuse(signal.reason);
      };
      const waiter: Waiter = {
        session,
        grant: (lane) => {
          signal.removeEventListener("abort", stop);
          grant(lane);
        },
        refuse,
      };
      signal.addEventListener("abort", stop, { once: true });
      this.#waiting.push(waiter);
      this.#serve();
    });
  }

  /** @param broken The request failed half way: what the cache holds is not to be relied on. */
  release(lane: Lane, broken = false): void {
    const place = this.#placeOf(lane);
    place.usedAt = ++this.#uses;
    if (broken || place.eraseAfterUse) {
      void this.#erase(place);
      return;
    }
    place.busy = false;
    this.#serve();
  }

  /** Erases what is kept of `session`, a sequence in use as soon as its request ends. */
  forget(session: string): void {
    for (const place of this.#places) {
      if (place.session !== session) continue;
      if (place.busy) place.eraseAfterUse = true;
      else void this.#erase(place);
    }
  }

  #placeOf(lane: Lane): Place {
    const place = this.#places.find(({ sequence }) => sequence === lane.sequence);
    if (place === undefined) throw new Error("a lane was released twice");
    return place;
  }

  #serve(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const place = this.#choose(next.session);
      if (place === undefined) return;
      this.#waiting.shift();
      void this.#grant(place, next);
    }
  }

  /** Its own warm sequence, else an erased one, else the one unused for longest. */
  #choose(session: string): Place | undefined {
    const idle = this.#places.filter((place) => !place.busy);
    const newest = (a: Place, b: Place): number => b.usedAt - a.usedAt;
    return (
      idle.filter((place) => place.session === session).sort(newest)[0] ??
      idle.find((place) => place.session === undefined) ??
      idle.sort((a, b) => a.usedAt - b.usedAt)[0]
    );
  }

  async #grant(place: Place, waiter: Waiter): Promise<void> {
    place.busy = true;
    try {
      if (place.session !== undefined && place.session !== waiter.session) await this.#renew(place);
      place.session = waiter.session;
      waiter.grant({ sequence: place.sequence, session: waiter.session });
    } catch (error) {
      place.busy = false;
      waiter.refuse(error);
    }
  }

  async #erase(place: Place): Promise<void> {
    place.busy = true;
    await this.#renew(place);
    place.busy = false;
    this.#serve();
  }

  /** Drops the sequence's cells, checkpoints and token list, and takes a fresh one in its place. */
  async #renew(place: Place): Promise<void> {
    await place.sequence.dispose();
    place.sequence = this.#context.getSequence();
    place.session = undefined;
    place.eraseAfterUse = false;
  }
}
