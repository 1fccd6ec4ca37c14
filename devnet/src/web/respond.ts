import type { ServerResponse } from "node:http";

const keepAliveMs = 15_000;

/** An answer for a page's own script. */
export function json(response: ServerResponse, status: number, body: unknown): void {
  if (response.headersSent) return void response.destroy();
  response.writeHead(status, {
    "content-type": "application/json",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  });
  response.end(JSON.stringify(body));
}

/**
 * Server-sent events until the reader goes.
 * @param subscribe begins to tell, by its argument, what one event holds; returns what stops it
 */
export function eventStream(
  response: ServerResponse,
  subscribe: (tell: (data: string) => void) => () => void,
): void {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  const stop = subscribe((data) => response.write(`data: ${data}\n\n`));
  const alive = setInterval(() => response.write(": \n\n"), keepAliveMs);
  response.once("close", () => {
    stop();
    clearInterval(alive);
  });
}
