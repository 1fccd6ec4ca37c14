import { createServer } from "node:http";
import { nowUs } from "./clock.ts";
import { paced } from "./pace.ts";

/**
 * The engine behind direct, nginx and Portkey: OpenAI's SSE, each chunk's content is the µs stamp at which
 * it was written. `max_tokens` says how many; GAP_MS is the pace. Prints its port.
 */
const gapMs = Number(process.env.GAP_MS ?? 50);

const chunk = (content: string): string =>
  `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"${content}"},"finish_reason":null}]}\n\n`;

const server = createServer((request, response) => {
  if (request.method !== "POST") {
    response.writeHead(405).end();
    return;
  }
  const parts: Buffer[] = [];
  request.on("data", (part: Buffer) => parts.push(part));
  request.on("end", () => {
    const { max_tokens: tokens } = JSON.parse(Buffer.concat(parts).toString()) as { max_tokens: number };
    const gone = new AbortController();
    response.on("close", () => gone.abort());
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
    void paced({ tokens, gapMs }, () => response.write(chunk(String(nowUs()))), gone.signal).then(() => {
      if (!gone.signal.aborted) response.end("data: [DONE]\n\n");
    });
  });
});
server.listen({ port: 0, host: "127.0.0.1", backlog: 4_096 }, () => {
  const address = server.address();
  if (address && typeof address === "object")
    process.stdout.write(`${JSON.stringify({ port: address.port })}\n`);
});
process.on("disconnect", () => process.exit(0));
