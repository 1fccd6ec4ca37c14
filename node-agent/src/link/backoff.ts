const baseMs = 250;
const longestMs = 30_000;
/** With answers under way, whose readers wait for this node to be back. */
const longestAnsweringMs = 1_000;

/**
 * Full jitter: a random time up to base × 2^attempt, so that a gateway's nodes do not return in step.
 * @param answering answers wait here for their readers, for `limits.lostLinkMs` at most
 */
export function backoffMs(attempt: number, random: () => number, answering = false): number {
  const longest = answering ? longestAnsweringMs : longestMs;
  return Math.floor(random() * Math.min(longest, baseMs * 2 ** Math.min(attempt, 16)));
}
