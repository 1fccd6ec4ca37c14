import { setTimeout as delay } from "node:timers/promises";

/** Spaces the tokens of one sequence; the others run on meanwhile. */
export class Pace {
  readonly #intervalMs: number;
  #dueAt: number | undefined;

  constructor(tokensPerSecond: number | undefined) {
    this.#intervalMs = tokensPerSecond === undefined ? 0 : 1_000 / tokensPerSecond;
  }

  /** Returns when the next token is due, at once when the request is cancelled. */
  async wait(signal: AbortSignal): Promise<void> {
    if (this.#intervalMs === 0) return;
    const now = performance.now();
    const dueAt = this.#dueAt ?? now;
    this.#dueAt = Math.max(dueAt, now) + this.#intervalMs;
    if (dueAt <= now) return;
    await delay(dueAt - now, undefined, { signal }).catch(() => undefined);
  }
}
