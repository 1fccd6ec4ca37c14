/** Durations and timers, passed in so that tests hold time still. */
export interface Clock {
  /** ms of a clock that never jumps; inside a TD it runs on the TSC, which the host cannot set. */
  monotonicMs(): number;
  /** Runs `task` once after `ms` (0: when this turn of the event loop is done); the result cancels it. */
  after(ms: number, task: () => void): () => void;
  /** Runs `task` every `ms`; the result ends it. */
  every(ms: number, task: () => void): () => void;
}

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  after(ms, task) {
    if (ms === 0) {
      const immediate = setImmediate(task);
      return () => clearImmediate(immediate);
    }
    const timer = setTimeout(task, ms);
    return () => clearTimeout(timer);
  },
  every(ms, task) {
    const timer = setInterval(task, ms);
    return () => clearInterval(timer);
  },
};
