import { createConcurrentSink, type UpdateSink } from "@grammyjs/runner";
import { type Bot, BotError, GrammyError, HttpError } from "grammy";
import type { Message, Update } from "grammy/types";
import type { Clock } from "../clock.ts";
import type { BotContext } from "../context.ts";
import { ShutdownError } from "../conversation/running-answers.ts";
import type { Delivery } from "../delivery/delivery.ts";
import type { Log } from "../log.ts";
import { readMarkdown } from "../markdown/read-markdown.ts";
import { isPayment } from "../money/is-payment.ts";
import type { Store } from "../store/open-store.ts";
import { type Language, languageOf, type Translate } from "../texts/texts.ts";

export interface InboxOptions {
  readonly bot: Bot<BotContext>;
  readonly store: Store;
  readonly delivery: Delivery;
  readonly texts: Readonly<Record<Language, Translate>>;
  readonly clock: Clock;
  readonly log: Log;
}

/** An update that ended the process, or whose reply nobody took, this often is given up. */
const mostAttempts = 4;
/** A question that is older when the bot comes back is not answered: its asker is told. */
const answerWithinMs = 3_600_000;
const longestBackoffMs = 60_000;

/**
 * The way of an update through the bot: onto the disk, then acknowledged, then handled; again after a crash, or when
 * Telegram did not take the reply. The same update is handled once.
 */
export class Inbox {
  readonly #options: InboxOptions;
  readonly #sink: UpdateSink<Update>;
  readonly #handling = new Set<Promise<void>>();
  readonly #timers = new Set<() => void>();
  #closed = false;

  constructor(options: InboxOptions) {
    this.#options = options;
    this.#sink = createConcurrentSink<Update, unknown>(
      { consume: (update) => this.#track(update) },
      async (error) => {
        options.log.error({ err: error }, "an update could not be handled");
      },
    );
  }

  /** Where a runner brings what {@link accept} gave. */
  get sink(): UpdateSink<Update> {
    return this.#sink;
  }

  /** Resolves when the updates are on the disk. @returns those that are new. */
  async accept(updates: readonly Update[]): Promise<Update[]> {
    return await this.#options.store.updates.accept(updates);
  }

  /** Handles updates that were accepted; does not wait for them. */
  handle(updates: readonly Update[]): void {
    void this.#sink.handle([...updates]);
  }

  /** After a start: what the last run accepted and did not finish. */
  async resume(): Promise<void> {
    const { store, clock } = this.#options;
    for (const { update, attempts, receivedAt, dueAt } of await store.updates.pending()) {
      const now = clock.now();
      if (isPayment(update)) this.handle([update]);
      else if (attempts >= mostAttempts) await this.#giveUp(update, "failed-repeatedly");
      else if (now - receivedAt > answerWithinMs) await this.#giveUp(update, "interrupted");
      else if (dueAt > now) this.#again(update, dueAt - now);
      else this.handle([update]);
    }
  }

  /** Resolves when everything that was accepted is handled. */
  async drain(): Promise<void> {
    this.#closed = true;
    for (const cancel of this.#timers) cancel();
    while (this.#handling.size > 0) await Promise.allSettled(this.#handling);
  }

  #track(update: Update): Promise<void> {
    const handled = this.#handle(update);
    this.#handling.add(handled);
    return handled.finally(() => this.#handling.delete(handled));
  }

  async #handle(update: Update): Promise<void> {
    const { bot, store, log, clock } = this.#options;
    const { update_id: updateId } = update;
    const attempts = await store.updates.begin(updateId);
    if (attempts === undefined) return;
    try {
      await bot.handleUpdate(update);
    } catch (error) {
      const cause = error instanceof BotError ? error.error : error;
      // It stays on the disk, and the next start goes on with it.
      if (cause instanceof ShutdownError) return;
      const waitMs = waitFor(cause, attempts);
      log.warn({ err: cause, updateId, waitMs }, "a handler failed");
      if (waitMs !== undefined && attempts < mostAttempts) {
        await store.updates.defer(updateId, clock.now() + waitMs);
        return this.#again(update, waitMs);
      }
    }
    await store.updates.done(updateId);
  }

  #again(update: Update, waitMs: number): void {
    if (this.#closed) return;
    const cancel = this.#options.clock.after(waitMs, () => {
      this.#timers.delete(cancel);
      this.handle([update]);
    });
    this.#timers.add(cancel);
  }

  async #giveUp(update: Update, text: string): Promise<void> {
    const { store, delivery, texts } = this.#options;
    const { message } = update;
    if (message !== undefined && message.from !== undefined && isQuestion(message)) {
      const t = texts[languageOf(message.from.language_code)];
      const isTopic = message.is_topic_message === true || message.chat.type === "private";
      const place = { chatId: message.chat.id, threadId: (isTopic && message.message_thread_id) || 0 };
      await store.outbox.add(
        delivery.messages(place, { blocks: readMarkdown(t(text)), replyTo: message.message_id }),
      );
      await delivery.flush(place.chatId);
    }
    await store.updates.done(update.update_id);
  }
}

const isQuestion = (message: Message): boolean => message.text !== undefined;

/** When trying again makes sense, in ms; undefined for a fault of our own. */
function waitFor(error: unknown, attempts: number): number | undefined {
  const backoffMs = Math.min(longestBackoffMs, 1_000 * 2 ** attempts);
  if (error instanceof HttpError) return backoffMs;
  if (!(error instanceof GrammyError)) return undefined;
  if (error.error_code === 429) return (error.parameters.retry_after ?? 1) * 1_000;
  return error.error_code >= 500 ? backoffMs : undefined;
}
