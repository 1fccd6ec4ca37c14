import { once } from "node:events";
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** One request as it passed, with everything that the client sent and was sent. */
export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly sent: Buffer[];
  readonly received: Buffer[];
}

/** An attacker on the way between client and gateway: sees every byte, and may change an answer's body. */
export interface RecordingRelay extends AsyncDisposable {
  readonly url: string;
  readonly exchanges: readonly Exchange[];
  /** Every byte that clients sent through it: request lines, headers and bodies. */
  sentBytes(): Buffer;
}

/** Changes the body of an answer; `undefined` lets it stream through as it is. */
export type Tamper = (path: string) => ((body: Buffer) => Buffer | Promise<Buffer>) | undefined;

export async function startRelay(target: string, tamper: Tamper = () => undefined): Promise<RecordingRelay> {
  const exchanges: Exchange[] = [];
  const heads: Buffer[] = [];
  const server = createServer((request, response) => {
    const exchange: Exchange = {
      method: request.method ?? "",
      path: request.url ?? "",
      sent: [],
      received: [],
    };
    exchanges.push(exchange);
    heads.push(Buffer.from([request.method, request.url, ...request.rawHeaders].join("\n")));
    forward(target, request, response, exchange, tamper).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : new Error(String(error)));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    exchanges,
    sentBytes: () => Buffer.concat([...heads, ...exchanges.flatMap((exchange) => exchange.sent)]),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function forward(
  target: string,
  request: IncomingMessage,
  response: ServerResponse,
  exchange: Exchange,
  tamper: Tamper,
): Promise<void> {
  const upstream = httpRequest(new URL(exchange.path, target), {
    method: exchange.method,
    headers: { ...request.headers, host: new URL(target).host },
  });
  response.once("close", () => upstream.destroy());
  request.on("data", (bytes: Buffer) => exchange.sent.push(bytes));
  request.pipe(upstream);
  const [answer] = (await once(upstream, "response")) as [IncomingMessage];
  answer.on("data", (bytes: Buffer) => exchange.received.push(bytes));
  const change = tamper(exchange.path);
  if (!change) {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
    return;
  }
  await once(answer, "end");
  const body = await change(Buffer.concat(exchange.received));
  response.writeHead(answer.statusCode ?? 502, { ...answer.headers, "content-length": body.length });
  response.end(body);
}
