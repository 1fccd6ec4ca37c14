import type { IncomingMessage, ServerResponse } from "node:http";
import { startLocalServer } from "../src/web/local-server.ts";

/** TON Connect's HTTP bridge: it passes sealed messages from one client id to another, and can read none. */
export interface SseBridge extends AsyncDisposable {
  readonly url: string;
  /** Bodies as they went through, oldest first. */
  readonly passed: readonly string[];
  /** Delivers to `to`, now or when it listens. */
  send(from: string, to: string, message: string): void;
  /** Hears what is sent to this client id, by a wallet in this process. */
  listen(client: string, hear: (from: string, message: string) => void): void;
}

/** @see https://github.com/ton-blockchain/ton-connect/blob/main/bridge.md */
export async function startSseBridge(): Promise<SseBridge> {
  const passed: string[] = [];
  const streams = new Map<string, ServerResponse>();
  const ears = new Map<string, (from: string, message: string) => void>();
  const waiting = new Map<string, string[]>();
  let id = 0;
  const deliver = (from: string, to: string, message: string) => {
    passed.push(message);
    const hear = ears.get(to);
    if (hear) {
      hear(from, message);
      return;
    }
    const event = `event: message\nid: ${++id}\ndata: ${JSON.stringify({ from, message })}\n\n`;
    const stream = streams.get(to);
    if (stream) stream.write(event);
    else waiting.set(to, [...(waiting.get(to) ?? []), event]);
  };
  const server = await startLocalServer(0, (_origin, request, response) => {
    void answer(request, response);
  });
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? "/", "http://bridge");
    const client = url.searchParams.get("client_id") ?? "";
    const cors = { "access-control-allow-origin": "*" };
    if (url.pathname === "/bridge/events") {
      response.writeHead(200, { ...cors, "content-type": "text/event-stream" });
      response.write("event: heartbeat\ndata: heartbeat\n\n");
      streams.set(client, response);
      for (const event of waiting.get(client) ?? []) response.write(event);
      waiting.delete(client);
      response.on("close", () => {
        if (streams.get(client) === response) streams.delete(client);
      });
      return;
    }
    let body = "";
    for await (const chunk of request) body += String(chunk);
    deliver(client, url.searchParams.get("to") ?? "", body);
    response.writeHead(200, { ...cors, "content-type": "application/json" }).end('{"message":"OK"}');
  };
  return {
    url: `${server.origin}/bridge`,
    passed,
    send: deliver,
    listen: (client, hear) => {
      ears.set(client, hear);
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
