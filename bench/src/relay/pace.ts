/** What a paced token source sends: `tokens` of them, the first at once, then one every `gapMs`. */
export interface Pace {
  readonly tokens: number;
  readonly gapMs: number;
}

/** An engine with continuous batching decodes all of its sequences in one step; so do our sources. */
const stepMs = 5;

interface Run {
  readonly startedAt: number;
  readonly pace: Pace;
  readonly emit: (index: number) => void;
  readonly end: () => void;
  next: number;
}

/**
 * Every stream of a source on one timer: a timer and a promise for each token of each stream would
 * take the load's core, and what waits for that core would be measured as the relay's latency.
 */
export class Pacer {
  readonly #runs = new Set<Run>();
  readonly #around: (step: () => void) => void;
  #timer: NodeJS.Timeout | undefined;

  /** @param around runs a step's emissions; it may hold their bytes together. */
  constructor(around: (step: () => void) => void = (step) => step()) {
    this.#around = around;
  }

  /**
   * Calls `emit(index)` on schedule, late ones at once instead of drifting, then `end`.
   * @returns stops it; `end` is not called then.
   */
  run(pace: Pace, emit: (index: number) => void, end: () => void): () => void {
    const run: Run = { startedAt: performance.now(), pace, emit, end, next: 0 };
    this.#runs.add(run);
    this.#timer ??= setInterval(() => this.#around(() => this.#step()), stepMs);
    this.#emit(run, run.startedAt);
    return () => this.#stop(run);
  }

  #step(): void {
    const now = performance.now();
    for (const run of this.#runs) this.#emit(run, now);
  }

  #emit(run: Run, now: number): void {
    const { tokens, gapMs } = run.pace;
    const due = Math.min(tokens, Math.floor((now - run.startedAt) / gapMs) + 1);
    while (run.next < due && this.#runs.has(run)) run.emit(run.next++);
    if (run.next < tokens || !this.#runs.has(run)) return;
    this.#stop(run);
    run.end();
  }

  #stop(run: Run): void {
    this.#runs.delete(run);
    if (this.#runs.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
