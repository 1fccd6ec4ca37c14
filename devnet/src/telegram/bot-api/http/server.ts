import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { BotApiError } from "../api-error.ts";
import type { World } from "../world/world.ts";
import { type Answer, answerCall, failure } from "./bot-calls.ts";
import { readRequestBody } from "./request-body.ts";

export interface RequestHandlers {
  readonly world: World;
  /** Resolves when everything that has changed so far is kept. */
  readonly kept: () => Promise<void>;
  /** Answers what is below `/_people/`. */
  readonly people: (request: IncomingMessage, response: ServerResponse, url: URL) => Promise<void>;
}

export interface ListeningServer {
  readonly url: string;
  close(): Promise<void>;
}

const BOT_PATH = /^\/bot([^/]+)\/([A-Za-z]+)$/;
const FILE_PATH = /^\/file\/bot([^/]+)\/(.+)$/;

/** Listens on loopback for bots, and for the people's page. */
export async function listen(
  handlers: RequestHandlers,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<ListeningServer> {
  const closing = new AbortController();
  const server = createServer((request, response) => {
    handle(handlers, request, response, closing.signal).catch((error: unknown) => {
      if (response.headersSent) return response.destroy();
      const known = error instanceof BotApiError;
      send(response, failure(known ? error : new BotApiError(500, "Internal Server Error")));
      // A fault of this stand-in must be seen by whoever runs it, not be taken for Telegram's.
      if (!known) process.emitWarning(error instanceof Error ? error : String(error));
    });
  });
  // Long polls last 50 s, and a test may hold a call for longer.
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  const { port: chosen } = server.address() as AddressInfo;
  const name = host.includes(":") ? `[${host}]` : host;
  return {
    url: `http://${name}:${chosen}`,
    close: () => {
      closing.abort();
      return closed(server);
    },
  };
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
    // Polls answer as the signal aborts; streams of events have no end of their own.
    setImmediate(() => server.closeAllConnections());
  });
}

async function handle(
  handlers: RequestHandlers,
  request: IncomingMessage,
  response: ServerResponse,
  closing: AbortSignal,
): Promise<void> {
  // Only the path is used: the host of a request is the caller's to choose.
  const url = URL.parse(request.url ?? "/", "http://local");
  if (url === null) throw new BotApiError(400, "Bad Request");
  const { pathname } = url;
  if (pathname.startsWith("/_people/")) return handlers.people(request, response, url);
  const file = FILE_PATH.exec(pathname);
  if (file)
    return sendFile(handlers.world, response, {
      token: decoded(file[1]),
      path: decoded(file[2]),
    });
  const call = BOT_PATH.exec(pathname);
  if (!call) return send(response, failure(new BotApiError(404, "Not Found")));
  const bot = botOf(handlers.world, decoded(call[1]));
  const { payload, files } = await readRequestBody(request, url.searchParams);
  const hungUp = new AbortController();
  response.on("close", () => hungUp.abort());
  const signal = AbortSignal.any([hungUp.signal, closing]);
  const answer = await answerCall(handlers.world, bot, { method: call[2] ?? "", payload, files, signal });
  await handlers.kept();
  if (answer) send(response, answer);
  else response.destroy();
}

/** @throws BotApiError 400 for an escape that is none */
function decoded(part = ""): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new BotApiError(400, "Bad Request");
  }
}

function botOf(world: World, token: string) {
  const bot = Object.values(world.state.bots).find((one) => one.token === token);
  if (bot) return bot;
  if (!/^\d+:[\w-]+$/.test(token)) throw new BotApiError(404, "Not Found");
  throw new BotApiError(401, "Unauthorized");
}

async function sendFile(
  world: World,
  response: ServerResponse,
  { token, path }: { readonly token: string; readonly path: string },
): Promise<void> {
  botOf(world, token);
  const file = Object.values(world.state.files).find((one) => one.path === path);
  const bytes = file && (await world.blobs.get(file.path));
  if (!bytes) return send(response, failure(new BotApiError(404, "Not Found")));
  response.writeHead(200, { "content-type": "application/octet-stream", "content-length": bytes.length });
  response.end(bytes);
}

function send(response: ServerResponse, answer: Answer): void {
  if (!answer || response.destroyed) return;
  const retryAfter = (answer.body as { parameters?: { retry_after?: number } }).parameters?.retry_after;
  const body = JSON.stringify(answer.body);
  response.writeHead(answer.status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    ...(retryAfter !== undefined && { "retry-after": String(retryAfter) }),
  });
  response.end(body);
}
