import { createServer } from "node:http";
import { nowUs } from "./clock.ts";
import { Pacer } from "./pace.ts";

/**
 * The engine behind direct, nginx and Portkey: OpenAI's SSE, each chunk's content is the µs stamp at which
 * it was written. `max_tokens` says how many; GAP_MS is the pace. Prints its port.
 */
const gapMs = Number(process.env.GAP_MS ?? 50);
const pacer = new Pacer();

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
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
    const stop = pacer.run(
      { tokens, gapMs },
      () => response.write(chunk(String(nowUs()))),
      () => response.end("data: [DONE]\n\n"),
    );
    response.on("close", stop);
  });
});
// Connections stay open between rounds: opening one anew would be measured as time to the first token.
server.keepAliveTimeout = 120_000;
server.listen({ port: 0, host: "127.0.0.1", backlog: 4_096 }, () => {
  const address = server.address();
  if (address && typeof address === "object")
    process.stdout.write(`${JSON.stringify({ port: address.port })}\n`);
});
process.on("disconnect", () => process.exit(0));
