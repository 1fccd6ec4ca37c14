/** What happens, in order, for a test to wait on: it synchronises on events, never on time. */
export class Queue<T> {
  readonly #items: T[] = [];
  readonly #waiting: ((item: T) => void)[] = [];

  push(item: T): void {
    const waiting = this.#waiting.shift();
    if (waiting) waiting(item);
    else this.#items.push(item);
  }

  /** The next one, now or as soon as it comes. */
  next(): Promise<T> {
    const item = this.#items.shift();
    if (item !== undefined) return Promise.resolve(item);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** The next one for which this holds; those before it are dropped. */
  async nextWhere<U extends T>(holds: (item: T) => item is U): Promise<U>;
  async nextWhere(holds: (item: T) => boolean): Promise<T>;
  async nextWhere(holds: (item: T) => boolean): Promise<T> {
    for (;;) {
      const item = await this.next();
      if (holds(item)) return item;
    }
  }

  /** What has come and was not waited for. */
  get here(): readonly T[] {
    return this.#items;
  }
}
