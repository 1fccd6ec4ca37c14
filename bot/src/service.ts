import { randomInt } from "node:crypto";
import { Api } from "grammy";
import { createBot } from "./bot.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { BotConfig } from "./config.ts";
import type { Answerer } from "./conversation/answerer.ts";
import { Conversation, type ConversationOptions } from "./conversation/conversation.ts";
import { RunningAnswers } from "./conversation/running-answers.ts";
import { Delivery } from "./delivery/delivery.ts";
import { FormatSupport } from "./delivery/format-support.ts";
import { publishProfile } from "./features/profile.ts";
import { Inbox } from "./intake/inbox.ts";
import { startPolling } from "./intake/polling.ts";
import { startWebhook } from "./intake/webhook.ts";
import type { Log } from "./log.ts";
import { BalanceWatch } from "./money/balance-watch.ts";
import { Cashier } from "./money/cashier.ts";
import type { Till } from "./money/till.ts";
import { systemPrompt } from "./persona.ts";
import { openStore } from "./store/open-store.ts";
import { loadTexts } from "./texts/texts.ts";

export interface ServiceOptions {
  readonly config: Omit<
    BotConfig,
    "gateway" | "apiKey" | "allowHttp" | "policyFile" | "logLevel" | "readyJson"
  >;
  readonly answerer: Answerer;
  readonly till: Till;
  readonly log: Log;
  readonly clock?: Clock;
  /** Faster than people can look; for tests. */
  readonly pace?: ConversationOptions["pace"];
  readonly gapMs?: (chatId: number) => number;
}

export interface Service {
  readonly username: string;
  /** Where the webhook listens on this machine. */
  readonly webhookUrl?: string;
  /** Rejects when no update can arrive any more. */
  readonly failed: Promise<never>;
  /** Takes no more updates, lets answers finish until the deadline, leaves the rest for the next start. */
  stop(): Promise<void>;
}

/** Telegram answers in less than one; whoever hangs longer is asked again. */
const requestSeconds = 30;
const sweepMs = 10 * 60_000;
/** How often payments are looked at that Telegram or the gateway did not take. */
const settleMs = 60_000;
/** After the deadline, answers are cut off; that takes a moment. */
const cutOffMs = 2_000;

/** Everything that runs, and the order in which it starts and stops. */
export async function startService(options: ServiceOptions): Promise<Service> {
  const { config, answerer, till, log, clock = systemClock, pace, gapMs } = options;
  const { token, apiRoot, miniApp, historyMs, maxAnswerTokens, model } = config;
  const texts = loadTexts(answerer.openTier);
  const store = await openStore({ dataDir: config.dataDir, key: config.storeKey, historyMs, now: clock.now });
  const api = new Api(token, { apiRoot, timeoutSeconds: requestSeconds });
  const formats = new FormatSupport();
  const running = new RunningAnswers();
  const delivery = new Delivery({ api, store, formats, clock, log, ...(gapMs && { gapMs }) });
  const conversation = new Conversation({
    answerer,
    store,
    delivery,
    running,
    api,
    formats,
    texts,
    systemPrompt,
    model,
    maxAnswerTokens,
    clock,
    log,
    newDraftId: () => randomInt(1, 2 ** 31),
    pace,
  });
  const { sale } = config;
  const cashier = sale && new Cashier({ api, till, store, sale, texts, log });
  const watch = sale && new BalanceWatch({ api, till, store, texts, clock, log });
  const botInfo = await api.getMe();
  const bot = createBot({
    token,
    apiRoot,
    botInfo,
    texts,
    store,
    answerer,
    running,
    conversation,
    miniApp,
    historyMs,
    till,
    cashier,
    log,
  });
  const inbox = new Inbox({ bot, store, delivery, texts, clock, log });

  await store.sweep();
  await publishProfile({ api: bot.api, store, texts, miniApp, sells: sale !== undefined, log });
  if (miniApp.url === undefined) log.info({ reason: miniApp.reason }, "the Mini App's button is hidden");
  const resumed = Promise.all([delivery.resume(), inbox.resume()]).catch((error: unknown) => {
    log.error({ err: error }, "what an earlier run left could not be taken up");
  });
  const intake =
    config.webhook === undefined
      ? await startPolling(bot, inbox, log)
      : await startWebhook({ bot, inbox, webhook: config.webhook, log });
  // Payments: what an earlier run left, what the Mini App sells, and then again every minute.
  const selling = cashier?.settle().then(() => cashier.publish());
  selling?.catch((error: unknown) => log.error({ err: error }, "payments in Stars could not be settled"));
  const watching = watch?.run();
  let settling = Promise.resolve();
  let cancelSettle = () => {};
  const settleLater = () => {
    cancelSettle = clock.after(settleMs, () => {
      settling = (cashier?.settle() ?? Promise.resolve()).catch((error: unknown) => {
        log.error({ err: error }, "payments in Stars could not be settled");
      });
      settleLater();
    });
  };
  if (cashier !== undefined) settleLater();
  let cancelSweep = () => {};
  const sweepLater = () => {
    cancelSweep = clock.after(sweepMs, () => {
      store.sweep().catch((error: unknown) => log.error({ err: error }, "the store could not be swept"));
      sweepLater();
    });
  };
  sweepLater();

  const stop = async () => {
    log.info("stopping: answers may finish");
    cancelSweep();
    cancelSettle();
    watch?.stop();
    await intake.stop();
    await resumed;
    const drained = inbox.drain();
    await orAfter(clock, drained, config.drainMs);
    running.interruptAll();
    await orAfter(clock, drained, cutOffMs);
    await Promise.allSettled([selling, settling, watching]);
    await delivery.stop();
    answerer.close();
    await store.close();
  };
  let stopped: Promise<void> | undefined;
  return {
    username: botInfo.username,
    ...(intake.url !== undefined && { webhookUrl: intake.url }),
    failed: intake.failed,
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
  };
}

async function orAfter(clock: Clock, work: Promise<void>, deadlineMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const cancel = clock.after(deadlineMs, resolve);
  await Promise.race([work, promise]);
  cancel();
}
