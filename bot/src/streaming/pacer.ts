import type { Clock } from "../clock.ts";

export interface Pace {
  readonly clock: Clock;
  /** Until the next frame may leave, counted from when the last one left; asked after each. */
  readonly gapMs: (framesSent: number) => number;
  /** Sends the last frame again when there was no other for so long; never when left out. */
  readonly refreshMs?: number;
  /** Shows one frame; does not throw. */
  readonly send: (text: string) => Promise<FrameResult>;
}

export interface FrameResult {
  /** Nothing may be sent for so long, in ms. */
  readonly pauseMs: number;
  /** The frame is not on the screen: it, or a newer one, is sent after the pause. */
  readonly again?: true;
}

export const shown: FrameResult = { pauseMs: 0 };
/** There is no way to show anything: the person waits for the whole answer. */
export const invisible: FrameResult = { pauseMs: Number.MAX_SAFE_INTEGER };

const longestWaitMs = 3_000;

/**
 * Shows the newest text as often as it may be shown: one request at a time, none of them outdated, and none after
 * {@link Pacer.end}.
 */
export class Pacer {
  readonly #pace: Pace;
  #text: string | undefined;
  #shown: string | undefined;
  #framesSent = 0;
  #sending: Promise<void> | undefined;
  #cancelGap: (() => void) | undefined;
  #cancelRefresh: (() => void) | undefined;
  #ended = false;

  constructor(pace: Pace) {
    this.#pace = pace;
  }

  show(text: string): void {
    this.#text = text;
    if (this.#sending === undefined && this.#cancelGap === undefined) this.#next();
  }

  /** Resolves when nothing is on its way any more, or when a frame hangs: the answer does not wait for it. */
  async end(): Promise<void> {
    this.#ended = true;
    this.#cancelGap?.();
    this.#cancelRefresh?.();
    const { promise: patience, resolve } = Promise.withResolvers<void>();
    const cancel = this.#pace.clock.after(longestWaitMs, resolve);
    await Promise.race([this.#sending, patience]);
    cancel();
  }

  #next(): void {
    if (this.#ended || this.#text === undefined) return;
    this.#cancelRefresh?.();
    this.#sending = this.#send(this.#text);
  }

  async #send(text: string): Promise<void> {
    const { clock, gapMs, refreshMs, send } = this.#pace;
    const begunAt = clock.now();
    this.#shown = text;
    const { pauseMs, again } = await send(text);
    if (again) this.#shown = undefined;
    else this.#framesSent += 1;
    this.#sending = undefined;
    if (this.#ended) return;
    const gap = Math.max(pauseMs, (again ? 0 : gapMs(this.#framesSent)) - (clock.now() - begunAt), 0);
    this.#cancelGap = clock.after(gap, () => {
      this.#cancelGap = undefined;
      if (this.#text !== this.#shown) this.#next();
    });
    if (refreshMs !== undefined) {
      this.#cancelRefresh = clock.after(Math.max(gap, refreshMs), () => this.#next());
    }
  }
}
