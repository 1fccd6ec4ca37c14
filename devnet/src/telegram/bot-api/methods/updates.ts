import type { Update } from "@grammyjs/types";
import { z } from "zod";
import { badRequest, conflict } from "../api-error.ts";
import { isLoopback } from "../text/links.ts";
import type { BotState } from "../world/state.ts";
import { confirmUpdates, noteDelivered } from "../world/updates.ts";
import type { World } from "../world/world.ts";
import { Described, type Method, type MethodContext, method } from "./method.ts";
import { boolean, integer, json } from "./parameters.ts";

const MAX_UPDATES = 100;
const MAX_POLL_S = 50;
const MAX_SECRET_LENGTH = 256;
const DEFAULT_CONNECTIONS = 40;
const MAX_CONNECTIONS = 100;
/** Where Telegram's own servers call; on this machine any port will do. */
const WEBHOOK_PORTS = new Set(["", "443", "80", "88", "8443"]);

const allowedUpdates = json(z.array(z.string()), "allowed_updates").optional();

const getUpdates = method(
  z.object({
    offset: integer.optional(),
    limit: integer.optional(),
    timeout: integer.optional(),
    allowed_updates: allowedUpdates,
  }),
  async (context, { offset = 0, limit = MAX_UPDATES, timeout = 0, allowed_updates }) => {
    const { world, bot } = context;
    if (bot.webhook) {
      throw conflict(
        "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
      );
    }
    allow(world, bot, allowed_updates);
    world.passing.polls.get(bot.user.id)?.(
      "terminated by other getUpdates request; make sure that only one bot instance is running",
    );
    if (offset > 0) confirmUpdates(world, bot, offset);
    else if (offset < 0) confirmUpdates(world, bot, bot.pending.at(offset)?.update_id ?? 0);
    const most = Math.min(Math.max(limit, 1), MAX_UPDATES);
    return take(world, bot, most) ?? (await poll(context, most, Math.min(Math.max(timeout, 0), MAX_POLL_S)));
  },
);

function take(world: World, bot: BotState, most: number): readonly Update[] | undefined {
  const again = world.passing.replays.get(bot.user.id) ?? [];
  const updates = [...again, ...bot.pending].slice(0, most);
  if (updates.length === 0) return undefined;
  world.passing.replays.set(bot.user.id, again.slice(most));
  for (const update of updates) noteDelivered(world, bot, update);
  return updates;
}

/** Waits for something new, the end of the time, a rival, or the bot's hanging up. */
function poll(
  { world, bot, signal }: MethodContext,
  most: number,
  timeoutS: number,
): Promise<readonly Update[]> {
  if (timeoutS === 0) return Promise.resolve([]);
  const { polls, wake } = world.passing;
  const botId = bot.user.id;
  return new Promise((resolve, reject) => {
    const finish = () => {
      cancel();
      signal.removeEventListener("abort", onEnd);
      if (polls.get(botId) === terminate) polls.delete(botId);
      if (wake.get(botId) === onUpdate) wake.delete(botId);
    };
    const onEnd = () => {
      finish();
      resolve([]);
    };
    const onUpdate = () => {
      const updates = take(world, bot, most);
      if (!updates) return;
      finish();
      resolve(updates);
    };
    const terminate = (reason: string) => {
      finish();
      reject(conflict(reason));
    };
    const cancel = world.clock.after(timeoutS * 1_000, onEnd);
    signal.addEventListener("abort", onEnd);
    polls.set(botId, terminate);
    wake.set(botId, onUpdate);
  });
}

const setWebhook = method(
  z.object({
    url: z.string().optional(),
    certificate: z.unknown().optional(),
    ip_address: z.string().optional(),
    max_connections: integer.optional(),
    allowed_updates: allowedUpdates,
    drop_pending_updates: boolean.optional(),
    secret_token: z.string().optional(),
  }),
  ({ world, bot, files }, parameters) => {
    const {
      url = "",
      secret_token: secretToken = "",
      max_connections: connections = DEFAULT_CONNECTIONS,
    } = parameters;
    if (url === "") return unsetWebhook(world, bot, parameters.drop_pending_updates ?? false);
    checkWebhookUrl(url);
    if (secretToken.length > MAX_SECRET_LENGTH) throw badRequest("secret token is too long");
    if (!/^[A-Za-z0-9_-]*$/.test(secretToken)) throw badRequest("secret token contains unallowed characters");
    if (parameters.drop_pending_updates) bot.pending = [];
    allow(world, bot, parameters.allowed_updates);
    const isSame = bot.webhook?.url === url && bot.webhook.secretToken === secretToken;
    bot.webhook = {
      url,
      secretToken,
      maxConnections: Math.min(Math.max(connections, 1), MAX_CONNECTIONS),
      hasCustomCertificate: files.has("certificate"),
      ...(parameters.ip_address !== undefined && { ipAddress: parameters.ip_address }),
    };
    world.changed();
    world.passing.polls.get(bot.user.id)?.("terminated by setWebhook request");
    world.passing.webhookChanged(bot.user.id);
    return new Described(true, isSame ? "Webhook is already set" : "Webhook was set");
  },
);

function checkWebhookUrl(source: string): void {
  let url: URL;
  try {
    url = new URL(/^[a-z]+:\/\//i.test(source) ? source : `https://${source}`);
  } catch {
    throw badRequest("invalid webhook URL specified");
  }
  // Telegram takes https alone; a webhook on this machine has no certificate.
  if (isLoopback(url.hostname) && ["http:", "https:"].includes(url.protocol)) return;
  if (url.protocol !== "https:") throw badRequest("bad webhook: An HTTPS URL must be provided for webhook");
  if (!WEBHOOK_PORTS.has(url.port)) {
    throw badRequest("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443");
  }
}

const deleteWebhook = method(
  z.object({ drop_pending_updates: boolean.optional() }),
  ({ world, bot }, { drop_pending_updates: drop = false }) => unsetWebhook(world, bot, drop),
);

function unsetWebhook(world: World, bot: BotState, drop: boolean): Described {
  const wasSet = bot.webhook !== null;
  bot.webhook = null;
  if (drop) bot.pending = [];
  world.changed();
  world.passing.webhookChanged(bot.user.id);
  return new Described(true, wasSet ? "Webhook was deleted" : "Webhook is already deleted");
}

const getWebhookInfo = method(z.object({}), ({ bot: { webhook, pending, allowedUpdates: allowed } }) => ({
  url: webhook?.url ?? "",
  has_custom_certificate: webhook?.hasCustomCertificate ?? false,
  pending_update_count: pending.length,
  ...(webhook && { max_connections: webhook.maxConnections }),
  ...(webhook?.ipAddress !== undefined && { ip_address: webhook.ipAddress }),
  ...(webhook?.lastErrorAt !== undefined && { last_error_date: Math.floor(webhook.lastErrorAt / 1_000) }),
  ...(webhook?.lastErrorMessage !== undefined && { last_error_message: webhook.lastErrorMessage }),
  ...(allowed !== null && allowed.length > 0 && { allowed_updates: allowed }),
}));

export const updateMethods: Readonly<Record<string, Method>> = {
  getUpdates,
  setWebhook,
  deleteWebhook,
  getWebhookInfo,
};

/** Holds for updates that are made from now on; leaving it out keeps what was said before. */
function allow(world: World, bot: BotState, allowed: readonly string[] | undefined): void {
  if (allowed === undefined) return;
  bot.allowedUpdates = allowed;
  world.changed();
}
