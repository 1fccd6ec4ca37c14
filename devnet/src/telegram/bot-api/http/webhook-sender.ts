import type { Update } from "@grammyjs/types";
import type { BotState, WebhookState } from "../world/state.ts";
import { noteDelivered } from "../world/updates.ts";
import type { World } from "../world/world.ts";
import { answerCall } from "./bot-calls.ts";

const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 60_000;
/** A webhook that says nothing for this long has failed. */
const REQUEST_MS = 60_000;
/** Longer answers hold no method call. */
const MAX_ANSWER_BYTES = 1_048_576;

interface Delivery {
  readonly webhook: WebhookState;
  readonly cancel: AbortController;
  /** Chats whose next update waits for the one on its way, or for a retry. */
  readonly busy: Set<string>;
  inFlight: number;
}

/**
 * Brings updates to webhooks: in order within a chat, chats side by side up to `max_connections`, again until the
 * webhook says 2xx.
 */
export class WebhookSender {
  readonly #world: World;
  readonly #deliveries = new Map<number, Delivery>();

  constructor(world: World) {
    this.#world = world;
    world.passing.webhookChanged = (botId) => this.#restart(botId);
    for (const bot of Object.values(world.state.bots)) this.#restart(bot.user.id);
  }

  close(): void {
    for (const { cancel } of this.#deliveries.values()) cancel.abort();
    this.#deliveries.clear();
  }

  #restart(botId: number): void {
    this.#deliveries.get(botId)?.cancel.abort();
    this.#deliveries.delete(botId);
    const bot = this.#world.state.bots[botId];
    if (!bot?.webhook) {
      this.#world.passing.wake.delete(botId);
      return;
    }
    const delivery: Delivery = {
      webhook: bot.webhook,
      cancel: new AbortController(),
      busy: new Set(),
      inFlight: 0,
    };
    this.#deliveries.set(botId, delivery);
    this.#world.passing.wake.set(botId, () => this.#pump(bot, delivery));
    this.#pump(bot, delivery);
  }

  #pump(bot: BotState, delivery: Delivery): void {
    if (delivery.cancel.signal.aborted) return;
    const again = this.#world.passing.replays.get(bot.user.id) ?? [];
    for (const update of [...again, ...bot.pending]) {
      const chat = orderingKey(update);
      if (delivery.inFlight >= delivery.webhook.maxConnections) return;
      if (delivery.busy.has(chat)) continue;
      delivery.busy.add(chat);
      delivery.inFlight += 1;
      void this.#deliver(bot, delivery, { update, chat, isReplay: again.includes(update) }, FIRST_RETRY_MS);
    }
  }

  async #deliver(
    bot: BotState,
    delivery: Delivery,
    item: { readonly update: Update; readonly chat: string; readonly isReplay: boolean },
    retryMs: number,
  ): Promise<void> {
    const outcome = await this.#post(bot, delivery, item.update);
    delivery.inFlight -= 1;
    if (delivery.cancel.signal.aborted) return;
    if (outcome.isOk) {
      this.#forget(bot, item);
      delivery.busy.delete(item.chat);
    } else {
      delivery.webhook.lastErrorAt = this.#world.clock.now();
      delivery.webhook.lastErrorMessage = outcome.reason;
      this.#world.changed();
      const stop = this.#world.clock.after(outcome.retryAfterMs ?? retryMs, () => {
        delivery.inFlight += 1;
        void this.#deliver(bot, delivery, item, Math.min(retryMs * 2, MAX_RETRY_MS));
      });
      delivery.cancel.signal.addEventListener("abort", stop, { once: true });
    }
    this.#pump(bot, delivery);
  }

  async #post(bot: BotState, { webhook, cancel }: Delivery, update: Update): Promise<Outcome> {
    noteDelivered(this.#world, bot, update);
    try {
      // Nothing leaves before it is kept: a restart must not know less than the bot.
      await this.#world.kept();
      const response = await fetch(webhook.url, {
        method: "POST",
        redirect: "manual",
        headers: {
          "content-type": "application/json",
          ...(webhook.secretToken !== "" && { "x-telegram-bot-api-secret-token": webhook.secretToken }),
        },
        body: JSON.stringify(update),
        signal: AbortSignal.any([cancel.signal, AbortSignal.timeout(REQUEST_MS)]),
      });
      const body = await response.text();
      if (!response.ok) return refused(response);
      await this.#runAnswer(bot, cancel.signal, body);
      return { isOk: true };
    } catch (error) {
      return { isOk: false, reason: reasonOf(error) };
    }
  }

  /** A webhook may answer with a method call, which then runs without an answer of its own. */
  async #runAnswer(bot: BotState, signal: AbortSignal, body: string): Promise<void> {
    if (!body.startsWith("{") || Buffer.byteLength(body) > MAX_ANSWER_BYTES) return;
    let call: unknown;
    try {
      call = JSON.parse(body);
    } catch {
      return;
    }
    if (typeof call !== "object" || call === null || !("method" in call) || typeof call.method !== "string")
      return;
    const { method, ...payload } = call as { method: string };
    await answerCall(this.#world, bot, { method, payload, files: new Map(), signal });
  }

  #forget(
    bot: BotState,
    { update, isReplay }: { readonly update: Update; readonly isReplay: boolean },
  ): void {
    const { replays } = this.#world.passing;
    if (isReplay) {
      replays.set(
        bot.user.id,
        (replays.get(bot.user.id) ?? []).filter((other) => other !== update),
      );
    } else {
      bot.pending = bot.pending.filter((other) => other.update_id !== update.update_id);
    }
    this.#world.changed();
  }
}

type Outcome =
  | { readonly isOk: true }
  | { readonly isOk: false; readonly reason: string; readonly retryAfterMs?: number };

function refused(response: Response): Outcome {
  const retryAfterS = Number(response.headers.get("retry-after"));
  return {
    isOk: false,
    reason: `Wrong response from the webhook: ${response.status} ${response.statusText}`,
    ...(retryAfterS > 0 && { retryAfterMs: Math.min(retryAfterS * 1_000, 3_600_000) }),
  };
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  if (code === "ECONNREFUSED") return "Connection refused";
  if (error instanceof Error && error.name === "TimeoutError") return "Read timeout expired";
  return typeof code === "string" ? code : "Connection reset by peer";
}

/** Updates of one chat, or of one person where there is no chat, come one after the other. */
function orderingKey(update: Update): string {
  const { update_id: _, ...body } = update;
  const [content] = Object.values(body) as {
    chat?: { id: number };
    message?: { chat?: { id: number } };
    from?: { id: number };
  }[];
  const id = content?.chat?.id ?? content?.message?.chat?.id ?? content?.from?.id;
  return String(id ?? update.update_id);
}
