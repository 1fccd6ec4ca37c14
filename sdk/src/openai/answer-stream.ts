/**
 * A streamed answer: iterate it once. Leaving the loop early or calling {@link abort} cancels the
 * request, and the node stops generating.
 */
export class AnswerStream<Chunk> implements AsyncIterable<Chunk> {
  readonly #chunks: AsyncGenerator<Chunk>;
  readonly #controller: AbortController;
  #first: IteratorResult<Chunk> | undefined;

  private constructor(
    chunks: AsyncGenerator<Chunk>,
    controller: AbortController,
    first: IteratorResult<Chunk>,
  ) {
    this.#chunks = chunks;
    this.#controller = controller;
    this.#first = first;
  }

  /**
   * Resolves when a node has accepted the request.
   * @throws BombyxError with what refused it before that.
   */
  static async open<Chunk>(
    chunks: AsyncGenerator<Chunk>,
    controller: AbortController,
  ): Promise<AnswerStream<Chunk>> {
    return new AnswerStream(chunks, controller, await chunks.next());
  }

  /** Cancels; whoever iterates gets BombyxError CANCELLED. */
  abort(): void {
    this.#controller.abort();
  }

  [Symbol.asyncIterator](): AsyncIterator<Chunk> {
    return {
      next: async () => {
        const first = this.#first;
        this.#first = undefined;
        return first ?? (await this.#chunks.next());
      },
      return: async () => {
        this.abort();
        await this.#chunks.return(undefined);
        return { done: true, value: undefined };
      },
    };
  }
}
