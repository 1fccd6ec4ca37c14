/** Asks the disk to have all that was written until now; tells when it has. */
export type Sync = (done: (error: Error | null) => void) => void;

/**
 * Holds outcomes back until they would survive a power cut: a sync that began behind their commit has
 * ended. One sync at a time; what is committed meanwhile shares the next one, so that a slow disk makes
 * larger groups and not a longer queue.
 */
export class DurableAnswers<Answer> {
  readonly #sync: Sync;
  readonly #post: (answers: readonly Answer[]) => void;
  #waiting: Answer[] = [];
  /** Something was committed since the last sync began. */
  #dirty = false;
  #syncing = false;
  #idle: (() => void) | undefined;

  constructor(sync: Sync, post: (answers: readonly Answer[]) => void) {
    this.#sync = sync;
    this.#post = post;
  }

  /** `answers` were committed just now, and so was what nobody waits for. @throws Error when the disk fails. */
  committed(answers: readonly Answer[]): void {
    this.#waiting.push(...answers);
    this.#dirty = true;
    this.#next();
  }

  /** Resolves when everything has been answered. */
  settled(): Promise<void> {
    if (!this.#syncing) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle = resolve;
    });
  }

  #next(): void {
    if (this.#syncing) return;
    if (!this.#dirty) {
      this.#idle?.();
      return;
    }
    this.#dirty = false;
    this.#syncing = true;
    const answers = this.#waiting;
    this.#waiting = [];
    this.#sync((error) => {
      // What a failed sync left unwritten a later one does not report: nothing is answered any more.
      if (error) throw error;
      this.#syncing = false;
      if (answers.length > 0) this.#post(answers);
      this.#next();
    });
  }
}
