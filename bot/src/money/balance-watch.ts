import type { Api } from "grammy";
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import { formatText } from "../markdown/entities.ts";
import { readMarkdown } from "../markdown/read-markdown.ts";
import type { Store } from "../store/open-store.ts";
import type { Language, Translate } from "../texts/texts.ts";
import type { Till } from "./till.ts";

export interface BalanceWatchOptions {
  readonly api: Api;
  readonly till: Till;
  readonly store: Store;
  readonly texts: Readonly<Record<Language, Translate>>;
  readonly clock: Clock;
  readonly log: Log;
}

/** The last event that was dealt with. */
const cursor = "account-events";
const comeBackMs = 5_000;

/** Tells people when what they bought runs low; the gateway's events, each dealt with once and then remembered. */
export class BalanceWatch {
  readonly #options: BalanceWatchOptions;
  readonly #ending = new AbortController();

  constructor(options: BalanceWatchOptions) {
    this.#options = options;
  }

  /** Listens until {@link stop}. */
  async run(): Promise<void> {
    const { clock, log } = this.#options;
    const { signal } = this.#ending;
    while (!signal.aborted) {
      try {
        await this.#listen(signal);
      } catch (error) {
        if (!signal.aborted) log.debug({ err: error }, "the gateway's events are away");
      }
      if (signal.aborted) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      const cancel = clock.after(comeBackMs, resolve);
      signal.addEventListener("abort", () => resolve(), { once: true });
      await promise;
      cancel();
    }
  }

  stop(): void {
    this.#ending.abort();
  }

  async #listen(signal: AbortSignal): Promise<void> {
    const { till, store } = this.#options;
    const after = Number((await store.settings.get(cursor)) ?? 0);
    for await (const event of till.events(after, signal)) {
      const [kind, , user = ""] = event.account.split(":");
      if (event.type === "balance.low" && kind === "person") await this.#tell(Number(user));
      await store.settings.set(cursor, String(event.id));
    }
  }

  async #tell(userId: number): Promise<void> {
    const { api, texts, store, log } = this.#options;
    const [last] = await store.payments.of(userId, 1);
    const { text, entities } = formatText(readMarkdown(texts[last?.language ?? "en"]("credit-low")));
    try {
      await api.sendMessage(userId, text, { ...(entities.length > 0 && { entities }) });
    } catch (error) {
      log.warn({ err: error }, "a person could not be told of a low balance");
    }
  }
}
