import { useCallback, useEffect, useRef, useState } from "react";
import { type Failure, failureOf } from "../network/failure.ts";

/** What is looked at again and again: the last good value stays while a look fails. */
export interface Live<T> {
  readonly value: T | undefined;
  /** Why the last look failed; absent after a good one. */
  readonly failure: Failure | undefined;
  /** Looks now. Never rejects. */
  readonly refresh: () => Promise<void>;
}

const longestMs = 20_000;

/**
 * Loads at once, then every `everyMs` while the page is seen; after failures less and less often.
 * @param load must keep its identity from render to render.
 */
export function useLive<T>(load: (signal: AbortSignal) => Promise<T>, everyMs: number): Live<T> {
  const [state, setState] = useState<{ value?: T; failure?: Failure }>({});
  const look = useRef<() => Promise<void>>(async () => {});

  useEffect(() => {
    const gone = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let running: Promise<void> | undefined;
    let failures = 0;
    const next = () => {
      clearTimeout(timer);
      if (gone.signal.aborted || document.hidden) return;
      timer = setTimeout(now, Math.min(longestMs, everyMs * 2 ** Math.min(failures, 4)));
    };
    const run = async () => {
      try {
        const value = await load(gone.signal);
        failures = 0;
        if (!gone.signal.aborted) setState({ value });
      } catch (error) {
        failures++;
        const failure = failureOf(error);
        if (!gone.signal.aborted) setState((before) => ({ ...before, failure }));
      }
      next();
    };
    const now = () => {
      running ??= run().finally(() => {
        running = undefined;
      });
      return running;
    };
    look.current = async () => {
      // What runs already may have been answered before what the caller has just done.
      await running;
      await now();
    };
    const seen = () => {
      if (document.hidden) clearTimeout(timer);
      else void now();
    };
    void now();
    document.addEventListener("visibilitychange", seen);
    addEventListener("online", seen);
    return () => {
      gone.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", seen);
      removeEventListener("online", seen);
    };
  }, [load, everyMs]);

  const refresh = useCallback(() => look.current(), []);
  return { value: state.value, failure: state.failure, refresh };
}
