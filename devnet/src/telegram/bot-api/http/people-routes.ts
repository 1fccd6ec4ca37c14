import type { IncomingMessage, ServerResponse } from "node:http";
import { z } from "zod";
import { BotApiError } from "../api-error.ts";
import type { Telegram, TelegramEvent } from "../interface.ts";
import { CallbackExpired } from "../people/buttons.ts";
import { peopleCommand, runCommand } from "../people/commands.ts";
import { PeopleError } from "../people/speaking.ts";
import { findFile } from "../world/files.ts";
import type { World } from "../world/world.ts";
import { readBytes } from "./request-body.ts";

/** A photo of 20 MB as base64, and the command around it. */
const MAX_COMMAND_BYTES = 30 * 1_048_576;
const KEEP_ALIVE_MS = 15_000;
const LOOPBACK_HOST = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/;
/** Shown in the page; everything else is only offered as a download. */
const SHOWN_TYPES = new Set([
  "image/jpeg",
  "image/png",
  "image/gif",
  "image/webp",
  "audio/ogg",
  "audio/mpeg",
  "video/mp4",
]);

export interface PeopleRoutes {
  readonly world: World;
  readonly telegram: Telegram;
  readonly origins: readonly string[];
}

/**
 * The people's side for a page: `GET /_people/snapshot`, `GET /_people/events` (SSE, resumable by event id),
 * `POST /_people/commands` (one JSON object, answered `{ok, result}`), `GET /_people/files/<file_id>`.
 *
 * Whoever reaches this acts as anybody, so it answers only where the Host is this machine's own (a page elsewhere cannot
 * rebind its name to it), and only pages of the allowed origins.
 */
export function peopleRoutes({ world, telegram, origins }: PeopleRoutes) {
  return async (request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> => {
    const { origin, host = "" } = request.headers;
    if (!LOOPBACK_HOST.test(host)) return refuse(response, 421, "Host: only loopback is answered");
    const isAllowed = origin === undefined || origin === `http://${host}` || origins.includes(origin);
    if (!isAllowed) return refuse(response, 403, `Origin: ${origin} is not among the allowed origins`);
    if (origin !== undefined) {
      response.setHeader("access-control-allow-origin", origin);
      response.setHeader("vary", "origin");
    }
    response.setHeader("cache-control", "no-store");
    response.setHeader("x-content-type-options", "nosniff");
    const route = `${request.method} ${url.pathname}`;
    if (request.method === "OPTIONS") return preflight(response);
    if (route === "GET /_people/snapshot") return json(response, 200, telegram.snapshot());
    if (route === "GET /_people/events") return stream(world, request, response, url);
    if (route === "POST /_people/commands") return command(telegram, request, response);
    const file = /^GET \/_people\/files\/([\w-]+)$/.exec(route);
    if (file) return sendFile(world, response, file[1] ?? "");
    return refuse(response, 404, `${route}: no such route`);
  };
}

function preflight(response: ServerResponse): void {
  response.writeHead(204, {
    "access-control-allow-methods": "GET, POST",
    "access-control-allow-headers": "content-type, last-event-id",
    "access-control-max-age": "600",
  });
  response.end();
}

async function command(
  telegram: Telegram,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  // A form of a foreign page could be posted without a preflight; JSON cannot.
  if (!request.headers["content-type"]?.startsWith("application/json")) {
    return refuse(response, 415, "Content-Type: must be application/json");
  }
  try {
    const body: unknown = JSON.parse((await readBytes(request, MAX_COMMAND_BYTES)).toString("utf8"));
    const parsed = peopleCommand.safeParse(body);
    if (!parsed.success) return refuse(response, 400, z.prettifyError(parsed.error));
    const result = await runCommand(telegram, parsed.data);
    return json(response, 200, { ok: true, result: result ?? null });
  } catch (error) {
    if (error instanceof CallbackExpired) return refuse(response, 504, error.message);
    if (error instanceof PeopleError || error instanceof RangeError)
      return refuse(response, 409, error.message);
    // Text that an app would not send, e.g. an entity through a surrogate pair.
    if (error instanceof BotApiError) return refuse(response, error.code, error.description);
    if (error instanceof SyntaxError) return refuse(response, 400, "the body must be JSON");
    throw error;
  }
}

/** Server-sent events, after `Last-Event-ID` or `?after=`; `event: reset` asks the page to take a new snapshot. */
function stream(world: World, request: IncomingMessage, response: ServerResponse, url: URL): void {
  const after = request.headers["last-event-id"] ?? url.searchParams.get("after");
  response.writeHead(200, { "content-type": "text/event-stream", "x-accel-buffering": "no" });
  const write = (event: TelegramEvent) => {
    response.write(`id: ${event.id}\ndata: ${JSON.stringify(event)}\n\n`);
  };
  response.write(": open\n\n");
  if (after !== null && after !== undefined) {
    const missed = world.events.since(Number(after));
    if (missed === undefined) response.write(`id: ${world.events.lastId}\nevent: reset\ndata: {}\n\n`);
    for (const event of missed ?? []) write(event);
  }
  // What is shown is kept first, so that a restart takes nothing back from the screen.
  let queue = Promise.resolve();
  const off = world.events.on((event) => {
    queue = queue
      .then(() => world.kept())
      .then(() => write(event))
      // What cannot be kept is not shown; the page comes back and begins anew.
      .catch(() => void response.destroy());
  });
  const beat = setInterval(() => response.write(": \n\n"), KEEP_ALIVE_MS);
  response.on("close", () => {
    off();
    clearInterval(beat);
  });
}

async function sendFile(world: World, response: ServerResponse, id: string): Promise<void> {
  const file = findFile(world, id);
  const bytes = file && (await world.blobs.get(file.path));
  if (!file || !bytes) return refuse(response, 404, `file ${id} does not exist in this Telegram`);
  const isShown = SHOWN_TYPES.has(file.mimeType);
  response.writeHead(200, {
    "content-type": isShown ? file.mimeType : "application/octet-stream",
    "content-length": bytes.length,
    "content-security-policy": "sandbox; default-src 'none'",
    ...(!isShown && { "content-disposition": "attachment" }),
  });
  response.end(bytes);
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

const refuse = (response: ServerResponse, status: number, description: string) =>
  json(response, status, { ok: false, description });
