/**
 * Runs checks at the same time and still reports as if they ran one after the other: the refusal of the
 * first in the list wins, whichever was faster.
 */
export async function inOrder<const T extends readonly Promise<unknown>[]>(
  ...checks: T
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  for (const check of await Promise.allSettled(checks)) {
    if (check.status === "rejected") throw check.reason;
  }
  return Promise.all(checks);
}
