import { setTimeout as delay } from "node:timers/promises";

/** What a paced token source sends: `tokens` stamps, the first at once, then one every `gapMs`. */
export interface Pace {
  readonly tokens: number;
  readonly gapMs: number;
}

/**
 * Calls `emit(index)` on schedule; late calls catch up instead of drifting.
 * Ends early when `signal` aborts.
 */
export async function paced(
  { tokens, gapMs }: Pace,
  emit: (index: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const startedAt = performance.now();
  for (let index = 0; index < tokens; index++) {
    const waitMs = startedAt + index * gapMs - performance.now();
    if (waitMs > 0) {
      const aborted = await delay(waitMs, undefined, { signal }).then(
        () => false,
        () => true,
      );
      if (aborted) return;
    }
    if (signal.aborted) return;
    emit(index);
  }
}
