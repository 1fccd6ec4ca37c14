/** Time as the bot sees it; tests hold it still. */
export interface Clock {
  /** ms since the epoch. */
  now(): number;
  /** Calls `run` after `delayMs`; what is returned cancels it. */
  after(delayMs: number, run: () => void): () => void;
}

export const systemClock: Clock = {
  now: Date.now,
  after: (delayMs, run) => {
    // A timer takes 31 bits of milliseconds; whoever waits longer looks again then.
    const timer = setTimeout(run, Math.min(delayMs, 2 ** 31 - 1));
    return () => clearTimeout(timer);
  },
};
