import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream/promises";
import { BombyxError } from "@bombyx/protocol/wire";
import { BombyxClient } from "../client.ts";
import type { ClientOptions } from "../client-options.ts";
import { asBombyxError } from "../openai/error.ts";
import { errorResponse } from "../openai-fetch.ts";
import { Guard } from "./guard.ts";

export interface ProxyOptions extends Omit<ClientOptions, "apiKey"> {
  /** The gateway's key; callers of the proxy send the same one. */
  readonly apiKey: string;
  /** 0 takes any free port. @default 0 */
  readonly port?: number;
  /** How long {@link RunningProxy.close} lets answers run on, ms. @default 2000 */
  readonly graceMs?: number;
}

export interface RunningProxy {
  /** What goes into OPENAI_BASE_URL: ends in `/v1`. */
  readonly url: string;
  /** Takes nothing new, lets running answers finish for a while, then cancels them. */
  close(): Promise<void>;
}

const loopback = "127.0.0.1";
/** A request of the largest bucket, twice escaped. */
const maxBodyBytes = 1024 * 1024;

/**
 * A local OpenAI-compatible endpoint: any program of this machine gets private answers by pointing its
 * OpenAI client here. Listens on loopback, wants its key, and has no CORS headers.
 * @throws when the port is taken (EADDRINUSE).
 */
export async function startProxy({
  port = 0,
  graceMs = 2_000,
  ...options
}: ProxyOptions): Promise<RunningProxy> {
  const client = new BombyxClient(options);
  const guard = new Guard(options.apiKey);
  const closing = new AbortController();
  const server = createServer((request, response) => {
    const { localPort = 0 } = request.socket;
    void serve(client, guard, localPort, closing.signal, request, response);
  });
  server.listen(port, loopback);
  await once(server, "listening");
  const address = server.address() as AddressInfo;
  return {
    url: `http://${loopback}:${address.port}/v1`,
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeIdleConnections();
      const grace = setTimeout(() => {
        closing.abort();
        server.closeAllConnections();
      }, graceMs);
      await closed;
      clearTimeout(grace);
      client.close();
    },
  };
}

async function serve(
  client: BombyxClient,
  guard: Guard,
  port: number,
  closing: AbortSignal,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  const signal = AbortSignal.any([gone.signal, closing]);
  try {
    guard.admit(request.headers, port);
    const body = request.method === "POST" ? await readBody(request) : undefined;
    const url = new URL(request.url ?? "/", `http://${loopback}`);
    const { method = "GET" } = request;
    await send(await client.fetch(url, { method, signal, ...(body !== undefined && { body }) }), response);
  } catch (error) {
    if (response.headersSent || response.destroyed) return void response.destroy();
    await send(errorResponse(asBombyxError(error)), response).catch(() => response.destroy());
  }
}

/** Writes as fast as the caller reads; a caller that leaves cancels the answer. */
async function send(answer: Response, response: ServerResponse): Promise<void> {
  response.writeHead(answer.status, Object.fromEntries(answer.headers));
  if (!answer.body) return void response.end();
  await pipeline(chunksOf(answer.body), response);
}

async function* chunksOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel();
  }
}

async function readBody(request: IncomingMessage): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) {
      throw new BombyxError("BODY_TOO_LARGE", `A request body has at most ${maxBodyBytes} bytes.`);
    }
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}
