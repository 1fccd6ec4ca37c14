import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { BombyxError } from "@bombyx/protocol/wire";
import type { LinkServer } from "../fleet/link-server.ts";
import type { Log } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import { sendError } from "./bodies.ts";
import type { Origins } from "./origins.ts";
import type { Router } from "./router.ts";

export interface ApiServerOptions {
  readonly router: Router;
  readonly origins: Origins;
  readonly links: LinkServer;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** The public port: HTTP for clients, one WebSocket path for nodes. */
export function apiServer({ router, origins, links, metrics, log }: ApiServerOptions): Server {
  const server = createServer(
    {
      maxHeaderSize: 16 * 1024,
      headersTimeout: 10_000,
      /** A whole request, its body included; answers may take as long as they like. */
      requestTimeout: 30_000,
      keepAliveTimeout: 30_000,
      connectionsCheckingInterval: 5_000,
      /** Small, so that a reader that stalls is noticed within a few frames. */
      highWaterMark: 16 * 1024,
    },
    (request, response) => void answer(request, response),
  );
  server.on("upgrade", (request, socket, head) => {
    // Node has taken its own listener off: a reset while we answer would end the process.
    socket.on("error", () => socket.destroy());
    if (pathOf(request) === "/v1/link") links.upgrade(request, socket, head);
    else socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  });
  return server;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let route = "unknown";
    try {
      if (origins.admit(request, response)) return;
      const url = urlOf(request);
      const { handler, params, pattern } = router.match(request.method ?? "GET", url.pathname);
      route = pattern;
      await handler({ request, response, url, params });
      metrics.requests.inc({ route, outcome: "ok" });
    } catch (error) {
      metrics.requests.inc({ route, outcome: refuse(request, response, error) });
    }
  }

  function refuse(request: IncomingMessage, response: ServerResponse, error: unknown): string {
    const refusal =
      error instanceof BombyxError ? error : new BombyxError("INTERNAL", "The gateway failed; try again.");
    if (refusal.code === "INTERNAL") log.error({ err: error }, "request failed");
    if (response.headersSent || response.destroyed) {
      response.destroy();
      return refusal.code;
    }
    // A body that nobody will read: the connection cannot be used again.
    if (!request.complete) response.setHeader("Connection", "close");
    sendError(response, refusal);
    return refusal.code;
  }
}

/** @throws BombyxError BAD_REQUEST for what is no URL. */
function urlOf({ url = "/" }: IncomingMessage): URL {
  const parsed = URL.parse(url, "http://gateway.invalid");
  if (!parsed) throw new BombyxError("BAD_REQUEST", "The request names no valid path.");
  return parsed;
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? "").split("?", 1)[0] ?? "";
}
