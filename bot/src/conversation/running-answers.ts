import type { Place } from "../store/turns.ts";

/** Why an answer ends before its time. */
export class StoppedError extends Error {
  override readonly name = "StoppedError";
}
/** The bot shuts down: the question stays open and is answered after the start. */
export class ShutdownError extends Error {
  override readonly name = "ShutdownError";
}

export interface Running extends Place {
  readonly turnId: string;
  readonly userId: number;
  readonly draftId: number;
  readonly signal: AbortSignal;
}

/** Answers that are being written now, at most one per chat and topic; stop reaches them from outside their turn. */
export class RunningAnswers {
  #interrupted = false;
  readonly #running = new Map<string, Running & { readonly controller: AbortController }>();

  begin(answer: Omit<Running, "signal">): Running & Disposable {
    const controller = new AbortController();
    if (this.#interrupted) controller.abort(new ShutdownError("the bot stops"));
    const running = { ...answer, controller, signal: controller.signal };
    const key = placeKey(answer);
    this.#running.set(key, running);
    return {
      ...running,
      [Symbol.dispose]: () => {
        if (this.#running.get(key) === running) this.#running.delete(key);
      },
    };
  }

  at(place: Place): Running | undefined {
    return this.#running.get(placeKey(place));
  }

  /** @returns false when it does not run any more. */
  stop({ turnId }: Pick<Running, "turnId">): boolean {
    const running = this.#running.values().find((one) => one.turnId === turnId);
    running?.controller.abort(new StoppedError("stopped by the person"));
    return running !== undefined;
  }

  /** Ends what runs, and whatever begins from now on. */
  interruptAll(): void {
    this.#interrupted = true;
    for (const { controller } of this.#running.values()) controller.abort(new ShutdownError("the bot stops"));
  }
}

export const placeKey = ({ chatId, threadId }: Place): string => `${chatId}/${threadId}`;
