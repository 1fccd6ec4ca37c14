import type { Patience, TelegramEvent, TelegramEventBody, Truthy } from "../interface.ts";

/** How far back a stream can be resumed. */
const MAX_KEPT_EVENTS = 4_096;
const DEFAULT_PATIENCE_MS = 10_000;

/** Numbers what happens, tells listeners at once, and keeps the newest for those who come back. */
export class EventLog {
  readonly #now: () => number;
  readonly #kept: TelegramEvent[] = [];
  readonly #listeners = new Set<(event: TelegramEvent) => void>();
  #lastId: number;

  constructor(now: () => number) {
    this.#now = now;
    // From the clock, so that ids go on after a restart without being stored.
    this.#lastId = now() * 1_000;
  }

  get lastId(): number {
    return this.#lastId;
  }

  append(body: TelegramEventBody): void {
    this.#lastId += 1;
    const event = { id: this.#lastId, at: this.#now(), ...structuredClone(body) };
    this.#kept.push(event);
    if (this.#kept.length > MAX_KEPT_EVENTS) this.#kept.shift();
    for (const listener of [...this.#listeners]) listener(event);
  }

  on(listener: (event: TelegramEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What happened after `id`; undefined when that is too long ago, or was never. */
  since(id: number): readonly TelegramEvent[] | undefined {
    const oldest = (this.#kept[0]?.id ?? this.#lastId + 1) - 1;
    if (!Number.isSafeInteger(id) || id < oldest || id > this.#lastId) return undefined;
    return this.#kept.filter((event) => event.id > id);
  }

  /** Asks `predicate` now and after each event until it returns something true. */
  until<T>(
    predicate: () => T,
    { signal, timeoutMs = DEFAULT_PATIENCE_MS }: Patience,
    describe: () => string,
  ): Promise<Truthy<T>> {
    type Found = Truthy<T>;
    return new Promise<Found>((resolve, reject) => {
      const ask = () => {
        try {
          const found = predicate();
          if (!found) return;
          finish();
          resolve(found as Found);
        } catch (error) {
          finish();
          reject(error);
        }
      };
      const give = (reason: unknown) => {
        finish();
        reject(reason);
      };
      const onAbort = () => give(signal?.reason);
      // Real time, whatever the clock of the world: this is the test's patience, not Telegram's.
      const timer = setTimeout(
        () => give(new Error(`Not so within ${timeoutMs} ms. ${describe()}`)),
        timeoutMs,
      );
      const off = this.on(ask);
      const finish = () => {
        off();
        clearTimeout(timer);
        signal?.removeEventListener("abort", onAbort);
      };
      if (signal?.aborted) return onAbort();
      signal?.addEventListener("abort", onAbort);
      ask();
    });
  }
}
