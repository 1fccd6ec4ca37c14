import { BombyxClient, BombyxError, type ClientOptions, isOpenTier } from "@bombyx/sdk";
import type { Answerer, Ending, ModelOffer, Question } from "./answerer.ts";

/** People whose sessions stay open: the one who was away longest makes room. */
const mostClients = 256;
const modelsMs = 15_000;

interface Held {
  readonly client: BombyxClient;
  answering: number;
}

export type SdkAnswererOptions = Pick<ClientOptions, "gateway" | "apiKey" | "policy" | "allowHttp"> & {
  readonly now: () => number;
};

/**
 * The network, one {@link BombyxClient} per person: sessions and payment are theirs alone (PROTOCOL.md §5), even
 * where several people share a chat.
 */
export class SdkAnswerer implements Answerer {
  readonly openTier: boolean;
  readonly #options: SdkAnswererOptions;
  readonly #own: BombyxClient;
  readonly #clients = new Map<number, Held>();
  #models: { readonly at: number; readonly offers: Promise<readonly ModelOffer[]> } | undefined;

  constructor(options: SdkAnswererOptions) {
    this.openTier = options.policy !== undefined && isOpenTier(options.policy);
    this.#options = options;
    this.#own = new BombyxClient(options);
  }

  async models(signal?: AbortSignal): Promise<readonly ModelOffer[]> {
    const now = this.#options.now();
    if (this.#models === undefined || now - this.#models.at > modelsMs) {
      // Shared: whoever gives up must not take it from the others.
      const offers = this.#own.models.list().then(({ data }) => data);
      this.#models = { at: now, offers };
      offers.catch(() => {
        this.#models = undefined;
      });
    }
    const { offers } = this.#models;
    return await (signal === undefined ? offers : Promise.race([offers, aborted(signal)]));
  }

  async *answer(question: Question): AsyncGenerator<string, Ending, undefined> {
    const { model, maxTokens, userId, seat, signal } = question;
    const held = this.#hold(userId);
    held.answering += 1;
    try {
      const stream = await held.client.chat.completions.create(
        { model, messages: [...question.messages], max_tokens: maxTokens, user: seat, stream: true },
        { signal },
      );
      for await (const { choices, bombyx } of stream) {
        const [choice] = choices;
        if (choice?.delta.content) yield choice.delta.content;
        if (choice?.finish_reason) {
          return {
            reason: choice.finish_reason === "length" ? "length" : "stop",
            simulated: bombyx?.simulated ?? false,
          };
        }
      }
      throw new BombyxError("TRUNCATED", "The answer ended without its last frame.");
    } finally {
      held.answering -= 1;
    }
  }

  prepare({ model, userId, seat }: Pick<Question, "model" | "userId" | "seat">): void {
    // Whatever is wrong is told when there is a question.
    this.#hold(userId)
      .client.prepare({ model, user: seat })
      .catch(() => undefined);
  }

  close(): void {
    for (const { client } of this.#clients.values()) client.close();
    this.#clients.clear();
    this.#own.close();
  }

  #hold(userId: number): Held {
    const held = this.#clients.get(userId) ?? {
      client: new BombyxClient({ ...this.#options, telegramUser: String(userId) }),
      answering: 0,
    };
    this.#clients.delete(userId);
    this.#clients.set(userId, held);
    if (this.#clients.size > mostClients) {
      const oldest = this.#clients.entries().find(([, { answering }]) => answering === 0);
      if (oldest && oldest[0] !== userId) {
        oldest[1].client.close();
        this.#clients.delete(oldest[0]);
      }
    }
    return held;
  }
}

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
