import { createRunner, createSource, createUpdateFetcher } from "@grammyjs/runner";
import type { Bot } from "grammy";
import type { BotContext } from "../context.ts";
import type { Log } from "../log.ts";
import { allowedUpdates } from "./allowed-updates.ts";
import type { Inbox } from "./inbox.ts";

/** A way by which updates arrive. */
export interface Intake {
  /** Where a webhook listens on this machine. */
  readonly url?: string;
  /** Rejects when updates stop arriving for good: the token is wrong, or another process polls this bot. */
  readonly failed: Promise<never>;
  /** No update arrives after it. */
  stop(): Promise<void>;
}

/** Asks Telegram for updates: nothing has to be reachable from outside. */
export async function startPolling(bot: Bot<BotContext>, inbox: Inbox, log: Log): Promise<Intake> {
  await bot.api.deleteWebhook();
  // The fetcher tries again by itself, and says nothing.
  bot.api.config.use(async (prev, method, payload, signal) => {
    if (method !== "getUpdates") return await prev(method, payload, signal);
    try {
      const result = await prev(method, payload, signal);
      if (!result.ok) log.warn({ code: result.error_code, description: result.description }, "no updates");
      return result;
    } catch (error) {
      if (!signal?.aborted) log.warn({ err: error }, "no updates");
      throw error;
    }
  });
  const fetchUpdates = createUpdateFetcher(bot, {
    fetch: { allowed_updates: [...allowedUpdates] },
    silent: true,
  });
  const source = createSource({
    // The next call confirms these to Telegram: by then they are on the disk.
    supply: async (limit, signal) => await inbox.accept(await fetchUpdates(limit, signal as never)),
  });
  const runner = createRunner(source, inbox.sink);
  runner.start();
  const task = runner.task() ?? Promise.resolve();
  const failed = new Promise<never>((_, reject) => void task.catch(reject));
  // Whoever does not look hears of it from the log, and is not ended by it.
  failed.catch(() => undefined);
  return {
    failed,
    stop: async () => {
      await runner.stop();
    },
  };
}
