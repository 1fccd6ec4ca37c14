import { HttpClient } from "./http-client.ts";
import type { Streams } from "./stream-load.ts";

const marker = Buffer.from('"content":"');
const done = Buffer.from("[DONE]");
const event = Buffer.from("\n\n");

/** Streams OpenAI chunks from `url`; the same client for direct, nginx and Portkey. */
export function sseStream(url: string, headers: Record<string, string> = {}): Streams {
  const client = new HttpClient(url);
  const open: Streams["open"] = async (tokens, onStamp) => {
    const body = JSON.stringify({
      model: "m",
      stream: true,
      max_tokens: tokens,
      messages: [{ role: "user", content: "hello" }],
    });
    let pending: Buffer | undefined;
    let finished = false;
    const { status, text } = await client.post(
      "/v1/chat/completions",
      { "content-type": "application/json", ...headers },
      Buffer.from(body),
      (part) => {
        const bytes = pending ? Buffer.concat([pending, part]) : part;
        const end = bytes.lastIndexOf(event);
        const whole = end < 0 ? 0 : end + event.length;
        // Copied, because the client reads the next bytes to where these are.
        pending = whole < bytes.length ? Buffer.from(bytes.subarray(whole)) : undefined;
        let at = bytes.indexOf(marker);
        for (; at >= 0 && at < whole; at = bytes.indexOf(marker, at)) {
          at += marker.length;
          const quote = bytes.indexOf(0x22, at);
          onStamp(Number(bytes.toString("latin1", at, quote)));
        }
        finished ||= bytes.indexOf(done) >= 0;
      },
    );
    if (status !== 200) throw new Error(`HTTP ${status} ${text}`);
    if (!finished) throw new Error("the stream ended without [DONE]");
  };
  return { open, warm: (connections) => client.warm(connections) };
}
