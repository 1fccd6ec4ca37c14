const baseMs = 250;
const longestMs = 30_000;

/** Full jitter: a random time up to base × 2^attempt, so that a gateway's nodes do not return in step. */
export function backoffMs(attempt: number, random: () => number): number {
  return Math.floor(random() * Math.min(longestMs, baseMs * 2 ** Math.min(attempt, 16)));
}
