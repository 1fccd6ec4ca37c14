import type { FloodLimits } from "../interface.ts";

/** What is known of Telegram's limits; the burst and the drafts' figures are this stand-in's own. */
export const TELEGRAM_LIMITS: FloodLimits = {
  perChatIntervalMs: 1_000,
  perChatBurst: 3,
  perGroupPerMinute: 20,
  perBotPerSecond: 30,
  draftIntervalMs: 200,
  draftBurst: 10,
};

/** Counts messages by chat and by bot, and says how long one that comes too early has to wait. */
export class FloodControl {
  readonly #limits: FloodLimits;
  readonly #buckets = new Map<string, { tokens: number; at: number }>();
  readonly #windows = new Map<string, number[]>();

  constructor(limits: FloodLimits) {
    this.#limits = limits;
  }

  /** Milliseconds until a message may be sent; 0 when it may now, and is then counted. */
  message(botId: number, chat: { readonly key: string; readonly isGroup: boolean }, now: number): number {
    const { perChatIntervalMs, perChatBurst, perGroupPerMinute, perBotPerSecond } = this.#limits;
    const inChat = `${botId} ${chat.key}`;
    const waits = [
      this.#bucketWait(inChat, perChatIntervalMs, perChatBurst, now),
      this.#windowWait(`${botId}`, 1_000, perBotPerSecond, now),
      chat.isGroup ? this.#windowWait(inChat, 60_000, perGroupPerMinute, now) : 0,
    ];
    const wait = Math.max(...waits);
    if (wait > 0) return wait;
    this.#take(inChat);
    this.#windows.get(`${botId}`)?.push(now);
    if (chat.isGroup) this.#windows.get(inChat)?.push(now);
    return 0;
  }

  /** The same for a draft. */
  draft(botId: number, chatKey: string, now: number): number {
    const name = `draft ${botId} ${chatKey}`;
    const wait = this.#bucketWait(name, this.#limits.draftIntervalMs, this.#limits.draftBurst, now);
    if (wait === 0) this.#take(name);
    return wait;
  }

  #bucketWait(name: string, intervalMs: number, burst: number, now: number): number {
    const bucket = this.#buckets.get(name) ?? { tokens: burst, at: now };
    bucket.tokens = Math.min(burst, bucket.tokens + (now - bucket.at) / intervalMs);
    bucket.at = now;
    this.#buckets.set(name, bucket);
    return bucket.tokens >= 1 ? 0 : (1 - bucket.tokens) * intervalMs;
  }

  #take(name: string): void {
    const bucket = this.#buckets.get(name);
    if (bucket) bucket.tokens -= 1;
  }

  #windowWait(name: string, lengthMs: number, most: number, now: number): number {
    const window = (this.#windows.get(name) ?? []).filter((at) => at > now - lengthMs);
    this.#windows.set(name, window);
    const oldest = window[window.length - most];
    return oldest === undefined ? 0 : oldest + lengthMs - now;
  }
}
