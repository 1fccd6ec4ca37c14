import type { Child, ProcessExit } from "./child.ts";

const firstPauseMs = 500;
const longestPauseMs = 10_000;
/** Who ran this long has recovered: the next pause is the first again. */
const recoveredMs = 60_000;

/** A process that is started again whenever it ends by itself, after a pause that doubles each time. */
export interface KeptAlive<T> {
  readonly name: string;
  /** What the first one said when it was ready. @throws ChildStartError when that one ended before; it is not started again then. */
  readonly ready: Promise<T>;
  /** The running one; between two runs the one that ended last. */
  readonly child: Child;
  readonly state: "running" | "restarting";
  stop(deadlineMs: number): Promise<void>;
}

export type Revival =
  | { readonly state: "restarting"; readonly exit: ProcessExit }
  | { readonly state: "running" };

/** @param onChange told after each end, and again when the process is back. */
export function keepAlive<T>(
  start: () => { child: Child; ready: Promise<T> },
  onChange: (change: Revival) => void,
): KeptAlive<T> {
  let stopped = false;
  let state: Revival["state"] = "running";
  let pauseMs = firstPauseMs;
  let timer: NodeJS.Timeout | undefined;
  let startedAt = performance.now();
  const first = start();
  let { child } = first;

  const watch = async () => {
    const exit = await child.exited;
    if (stopped) return;
    if (performance.now() - startedAt > recoveredMs) pauseMs = firstPauseMs;
    state = "restarting";
    onChange({ state, exit });
    timer = setTimeout(revive, pauseMs);
    pauseMs = Math.min(pauseMs * 2, longestPauseMs);
  };
  const revive = () => {
    startedAt = performance.now();
    const next = start();
    child = next.child;
    void watch();
    next.ready.then(
      () => {
        if (stopped) return;
        state = "running";
        onChange({ state });
      },
      // Its end is watched already.
      () => undefined,
    );
  };
  first.ready.then(watch, () => undefined);

  return {
    name: child.name,
    ready: first.ready,
    get child() {
      return child;
    },
    get state() {
      return state;
    },
    stop: async (deadlineMs) => {
      stopped = true;
      clearTimeout(timer);
      await child.stop(deadlineMs);
    },
  };
}
