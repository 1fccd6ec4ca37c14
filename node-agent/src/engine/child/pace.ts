/** Spaces the tokens of one sequence; the others run on meanwhile. */
export class Pace {
  readonly #intervalMs: number;
  #dueAt = Number.NEGATIVE_INFINITY;

  constructor(tokensPerSecond: number | undefined) {
    this.#intervalMs = tokensPerSecond === undefined ? 0 : 1_000 / tokensPerSecond;
  }

  /** How long the token that is ready at `now` (ms) has to wait; late ones are not made up for. */
  waitMs(now: number): number {
    if (this.#intervalMs === 0) return 0;
    const at = Math.max(this.#dueAt, now);
    this.#dueAt = at + this.#intervalMs;
    return at - now;
  }
}
