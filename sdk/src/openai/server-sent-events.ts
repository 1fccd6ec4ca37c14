import { asBombyxError, openAiError } from "./error.ts";

const keepAliveMs = 15_000;

/**
 * Chunks as OpenAI's server-sent events, a comment whenever nothing comes for a while, `[DONE]` at the
 * end. An error in the middle is an event of its own, and then there is no `[DONE]`.
 * @throws BombyxError CANCELLED: whoever cancelled expects no event.
 */
export async function* serverSentEvents(
  chunks: AsyncIterable<unknown>,
  silenceMs: number = keepAliveMs,
): AsyncGenerator<string> {
  const iterator = chunks[Symbol.asyncIterator]();
  try {
    let next = iterator.next();
    for (;;) {
      const result = await within(next, silenceMs);
      if (result === "silent") {
        yield ": keep-alive\n\n";
        continue;
      }
      if (result.done) break;
      yield `data: ${JSON.stringify(result.value)}\n\n`;
      next = iterator.next();
    }
    yield "data: [DONE]\n\n";
  } catch (cause) {
    const error = asBombyxError(cause);
    if (error.code === "CANCELLED") throw error;
    yield `data: ${JSON.stringify(openAiError(error))}\n\n`;
  } finally {
    await iterator.return?.();
  }
}

async function within<T>(work: Promise<T>, ms: number): Promise<T | "silent"> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silence = new Promise<"silent">((resolve) => {
    timer = setTimeout(resolve, ms, "silent");
  });
  try {
    return await Promise.race([work, silence]);
  } finally {
    clearTimeout(timer);
  }
}
