import type { AnswerDelta, ReceiptDetail, SealedRequest } from "@bombyx/protocol/wire";

export interface Scripted {
  readonly deltas: readonly AnswerDelta[];
  readonly finishReason?: ReceiptDetail["finishReason"];
  readonly promptTokens?: number;
  readonly cachedTokens?: number;
}

/** What a stand-in's model says to a request; every delta is one token. */
export type Script = (request: SealedRequest) => Scripted;

/** Says the words one by one; with a prefix it goes on behind it; stops at the maximum. */
export const saying =
  (text: string): Script =>
  ({ body, prefix = "" }) => {
    if (!text.startsWith(prefix)) throw new RangeError(`"${prefix}" is not how this answer begins`);
    const words = text.slice(prefix.length).match(/\S+\s*|\s+/g) ?? [];
    const max = typeof body.max_tokens === "number" ? body.max_tokens : words.length;
    return {
      deltas: words.slice(0, max).map((word) => ({ text: word })),
      finishReason: words.length > max ? "length" : "stop",
      promptTokens: 12,
      cachedTokens: 4,
    };
  };
