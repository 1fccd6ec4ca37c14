import { createHash, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Bot } from "grammy";
import type { Update } from "grammy/types";
import * as z from "zod";
import type { BotConfig } from "../config.ts";
import type { BotContext } from "../context.ts";
import type { Log } from "../log.ts";
import { allowedUpdates } from "./allowed-updates.ts";
import type { Inbox } from "./inbox.ts";
import type { Intake } from "./polling.ts";

/** An update is far smaller; Telegram sends files as ids. */
const largestBody = 1024 * 1024;
const secretHeader = "x-telegram-bot-api-secret-token";

const updateSchema = z.looseObject({ update_id: z.int() });

export interface WebhookOptions {
  readonly bot: Bot<BotContext>;
  readonly inbox: Inbox;
  readonly webhook: NonNullable<BotConfig["webhook"]>;
  readonly log: Log;
}

/**
 * Lets Telegram bring updates: it is told 200 as soon as one is on the disk, and the answer is written afterwards.
 * `/healthz` answers whoever watches the process.
 */
export async function startWebhook({ bot, inbox, webhook, log }: WebhookOptions): Promise<Intake> {
  const { pathname } = new URL(webhook.url);
  const secret = digest(webhook.secret);
  const server = createServer((request, response) => {
    respond(request, response).catch((error: unknown) => {
      log.error({ err: error }, "an update could not be stored");
      // Telegram delivers it again.
      end(response, 500);
    });
  });

  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = request.url?.split("?")[0];
    if (path === "/healthz") return end(response, 200);
    if (path !== pathname) return end(response, 404);
    if (request.method !== "POST") return end(response, 405);
    const given = request.headers[secretHeader];
    if (typeof given !== "string" || !timingSafeEqual(digest(given), secret)) return end(response, 401);
    const body = await readBody(request);
    if (body === undefined) return end(response, 413);
    const update = parseUpdate(body);
    if (update === undefined) return end(response, 400);
    const fresh = await inbox.accept([update]);
    end(response, 200);
    inbox.handle(fresh);
  };

  server.requestTimeout = 10_000;
  server.listen(webhook.port, webhook.host);
  await once(server, "listening");
  await bot.api.setWebhook(webhook.url, {
    secret_token: webhook.secret,
    allowed_updates: [...allowedUpdates],
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : webhook.port;
  const failed = new Promise<never>((_, reject) => server.once("error", reject));
  failed.catch(() => undefined);
  return {
    url: `http://${webhook.host}:${port}${pathname}`,
    failed,
    stop: async () => {
      // The webhook stays set: Telegram keeps what comes meanwhile, and brings it after the start.
      server.close();
      server.closeIdleConnections();
      await once(server, "close");
    },
  };
}

/** Equal lengths, so that the comparison takes the same time whatever was sent. */
const digest = (text: string): Uint8Array => createHash("sha256").update(text).digest();

function end(response: ServerResponse, status: number): void {
  if (response.headersSent) return;
  response.writeHead(status, { "content-length": 0, ...(status === 413 && { connection: "close" }) }).end();
}

/** @returns undefined when it is too large. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > largestBody) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parseUpdate(body: string): Update | undefined {
  try {
    return updateSchema.parse(JSON.parse(body)) as Update;
  } catch {
    return undefined;
  }
}
