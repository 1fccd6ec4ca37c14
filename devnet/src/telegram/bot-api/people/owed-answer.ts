import type { Clock, Patience } from "../interface.ts";

export interface Waiting<T> {
  readonly clock: Clock;
  /** How long the bot has, by this Telegram's clock; the asker's own patience may be shorter. */
  readonly lifeMs: number;
  readonly patience: Patience;
  /** What comes of an answer that does not come: a value, or what it throws. */
  readonly late: () => T;
}

/**
 * Waits for what a bot owes somebody.
 * @param ask puts the question, and takes the answer when it comes; what it returns forgets the question
 */
export function owedAnswer<T>(
  waiting: Waiting<T>,
  ask: (answer: (value: T) => void) => () => void,
): Promise<T> {
  const { clock, lifeMs, late } = waiting;
  const { signal, timeoutMs } = waiting.patience;
  return new Promise<T>((resolve, reject) => {
    const ends: (() => void)[] = [];
    const settle = (result: () => T) => {
      for (const end of ends.splice(0)) end();
      try {
        resolve(result());
      } catch (error) {
        reject(error);
      }
    };
    const onAbort = () =>
      settle(() => {
        throw signal?.reason;
      });
    if (signal?.aborted) return onAbort();
    signal?.addEventListener("abort", onAbort);
    const timer = timeoutMs === undefined ? undefined : setTimeout(() => settle(late), timeoutMs);
    ends.push(
      clock.after(lifeMs, () => settle(late)),
      () => clearTimeout(timer),
      () => signal?.removeEventListener("abort", onAbort),
    );
    const forget = ask((value) => settle(() => value));
    if (ends.length > 0) ends.push(forget);
    else forget();
  });
}
