import type { Clock } from "../src/clock.ts";

interface Task {
  at: number;
  readonly every: number | undefined;
  readonly run: () => void;
}

/** Time that moves when a test says so; what is due after 0 ms runs at the end of this turn, as ever. */
export class FakeClock implements Clock {
  #now = 0;
  readonly #tasks = new Set<Task>();

  monotonicMs(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): () => void {
    if (ms === 0) {
      const immediate = setImmediate(run);
      return () => clearImmediate(immediate);
    }
    return this.#add({ at: this.#now + ms, every: undefined, run });
  }

  every(ms: number, run: () => void): () => void {
    return this.#add({ at: this.#now + ms, every: ms, run });
  }

  /** Timers that are set. */
  get pending(): number {
    return this.#tasks.size;
  }

  /** Runs what falls due within `ms`, in order. */
  advance(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const next = [...this.#tasks].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.#now = next.at;
      if (next.every === undefined) this.#tasks.delete(next);
      else next.at += next.every;
      next.run();
    }
    this.#now = until;
  }

  #add(task: Task): () => void {
    this.#tasks.add(task);
    return () => {
      this.#tasks.delete(task);
    };
  }
}
