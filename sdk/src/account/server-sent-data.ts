import { BombyxError } from "@bombyx/protocol/wire";

/** One event is no longer than this. */
const longestEvent = 64 * 1_024;

/**
 * The JSON of each event of a stream of server-sent events; comments and what is no JSON are passed over.
 * @throws BombyxError BODY_TOO_LARGE for an event without end.
 */
export async function* serverSentData(body: ReadableStream<Uint8Array>): AsyncGenerator<unknown> {
  const reader = body
    .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
    .getReader();
  let text = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      text += value;
      for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
        const event = text.slice(0, end);
        text = text.slice(end + 2);
        const data = event
          .split("\n")
          .flatMap((line) => (line.startsWith("data:") ? [line.slice(5).trimStart()] : []))
          .join("\n");
        if (data !== "") yield* parsed(data);
      }
      if (text.length > longestEvent) {
        throw new BombyxError(
          "BODY_TOO_LARGE",
          `The gateway sent an event of more than ${longestEvent} bytes.`,
        );
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function* parsed(data: string): Generator<unknown> {
  try {
    yield JSON.parse(data);
  } catch {
    // Not an event of ours.
  }
}
