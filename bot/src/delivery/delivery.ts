import type { Api } from "grammy";
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import { richLimits, splitBlocks, textLimits } from "../markdown/split.ts";
import type { Store } from "../store/open-store.ts";
import type { OutboxRow, Outgoing } from "../store/outbox.ts";
import type { Place } from "../store/turns.ts";
import { FormatSupport } from "./format-support.ts";
import { type Refusal, readRefusal } from "./refusal.ts";
import { sendMessage } from "./send-message.ts";

export interface DeliveryOptions {
  /** An Api of its own: this queue does its own waiting. */
  readonly api: Api;
  readonly store: Store;
  readonly formats: FormatSupport;
  readonly clock: Clock;
  readonly log: Log;
  /** Between two messages to one chat. @default 1 s in private chats, 3 s in groups, as Telegram asks */
  readonly gapMs?: (chatId: number) => number;
}

const longestBackoffMs = 60_000;
/** Once this often refused for no reason of its own, a message is given up. */
const mostAttempts = 200;

/**
 * Brings finished answers to their chats, in order, at least once, across restarts: what Telegram does not take now
 * waits in the store, not in a handler.
 */
export class Delivery {
  readonly #options: DeliveryOptions & Required<Pick<DeliveryOptions, "gapMs">>;
  readonly #working = new Map<number, Promise<void>>();
  readonly #timers = new Map<number, () => void>();
  #stopped = false;

  constructor(options: DeliveryOptions) {
    this.#options = { gapMs: (chatId) => (chatId > 0 ? 1_000 : 3_000), ...options };
  }

  /** An answer as the messages that it takes. */
  messages(place: Place, answer: Omit<Outgoing, keyof Place | "format">): Outgoing[] {
    const { chatId, threadId } = place;
    return inParts({ ...answer, chatId, threadId, format: this.#options.formats.best });
  }

  /** Sends what a chat is to get and may get now. @returns when that is done; the rest follows by itself. */
  flush(chatId: number): Promise<void> {
    const before = this.#working.get(chatId) ?? Promise.resolve();
    const next = before.catch(() => undefined).then(() => this.#work(chatId));
    const settled = next.finally(() => {
      if (this.#working.get(chatId) === settled) this.#working.delete(chatId);
    });
    this.#working.set(chatId, settled);
    return settled;
  }

  /** After a start: what an earlier run could not deliver. */
  async resume(): Promise<void> {
    await Promise.all((await this.#options.store.outbox.chats()).map((chatId) => this.flush(chatId)));
  }

  /** Ends the timers; what is not delivered stays in the store. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
    await Promise.allSettled(this.#working.values());
  }

  async #work(chatId: number): Promise<void> {
    const { store, clock, log, gapMs } = this.#options;
    for (;;) {
      const row = await store.outbox.head(chatId);
      if (row === undefined || this.#stopped) return;
      const waitMs = row.dueAt - clock.now();
      if (waitMs > 0) return this.#later(chatId, waitMs);
      try {
        await sendMessage(this.#options.api, row.message);
        await store.outbox.remove(row.id);
        const following = await store.outbox.head(chatId);
        if (following) await store.outbox.defer(following.id, clock.now() + gapMs(chatId));
      } catch (error) {
        const refusal = readRefusal(error);
        log.info({ err: error, refusal: refusal.kind, chat: chatId }, "a message was not taken");
        await this.#refused(row, refusal);
      }
    }
  }

  #later(chatId: number, waitMs: number): void {
    if (this.#stopped) return;
    this.#timers.get(chatId)?.();
    const cancel = this.#options.clock.after(waitMs, () => {
      this.#timers.delete(chatId);
      this.flush(chatId).catch((error: unknown) => {
        this.#options.log.error({ err: error, chat: chatId }, "delivery failed");
      });
    });
    this.#timers.set(chatId, cancel);
  }

  async #refused({ id, message, attempts }: OutboxRow, refusal: Refusal): Promise<void> {
    const { store, clock, formats, log } = this.#options;
    const { edit, threadId, ...rest } = message;
    switch (refusal.kind) {
      case "later":
        return await store.outbox.defer(id, clock.now() + refusal.waitMs);
      case "unreachable":
        if (attempts >= mostAttempts) return await store.outbox.remove(id);
        return await store.outbox.defer(
          id,
          clock.now() + Math.min(longestBackoffMs, 1_000 * 2 ** Math.min(attempts, 6)),
        );
      case "same":
        return await store.outbox.remove(id);
      case "gone":
        return await store.outbox.removeChat(message.chatId);
      case "moved":
        await store.outbox.replace(id, [{ ...message, chatId: refusal.chatId, threadId: 0 }]);
        return this.#later(refusal.chatId, 0);
      case "topic":
        if (threadId === 0) return await store.outbox.remove(id);
        return await store.outbox.replace(id, [{ ...message, threadId: 0 }]);
      case "edit":
        return await store.outbox.replace(id, edit === undefined ? [] : [{ ...rest, threadId }]);
      case "unsupported":
        if (message.format === "rich") formats.withoutRich();
        return await this.#simpler(id, message);
      case "format":
        log.warn({ format: message.format }, "Telegram refused a format");
        return await this.#simpler(id, message);
    }
  }

  async #simpler(id: string, message: Outgoing): Promise<void> {
    const format = FormatSupport.after(message.format);
    if (format === undefined) {
      this.#options.log.error({ chat: message.chatId }, "Telegram refused an answer even as plain text");
      return await this.#options.store.outbox.remove(id);
    }
    await this.#options.store.outbox.replace(id, inParts({ ...message, format }));
  }
}

/** The first part replies or takes the placeholder's place, the last one has the buttons. */
function inParts({ blocks, buttons, replyTo, edit, ...same }: Outgoing): Outgoing[] {
  const parts = splitBlocks(blocks, same.format === "rich" ? richLimits : textLimits);
  return parts.map((part, i) => ({
    ...same,
    blocks: part,
    ...(i === 0 && replyTo !== undefined && { replyTo }),
    ...(i === 0 && edit !== undefined && { edit }),
    ...(i === parts.length - 1 && buttons !== undefined && { buttons }),
  }));
}
