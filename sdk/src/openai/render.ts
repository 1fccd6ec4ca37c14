import type { AnswerSummary } from "../answer/answer.ts";
import type { BombyxExtension, Usage } from "./chat-types.ts";

/** What every chunk of one answer repeats. */
export interface Letterhead {
  /** Hex, without OpenAI's prefix. */
  readonly id: string;
  /** Seconds since epoch, as OpenAI has it. */
  readonly created: number;
  readonly model: string;
}

export const usageOf = ({ counts, units, costNano }: AnswerSummary): Usage => ({
  prompt_tokens: counts.promptTokens,
  completion_tokens: counts.completionTokens,
  total_tokens: counts.promptTokens + counts.completionTokens,
  prompt_tokens_details: { cached_tokens: counts.cachedTokens },
  completion_tokens_details: { reasoning_tokens: counts.reasoningTokens },
  units,
  cost_nano: costNano.toString(),
});

export const extensionOf = ({ costNano, node, simulated, receipt }: AnswerSummary): BombyxExtension => ({
  costNano: costNano.toString(),
  node,
  simulated,
  receipt,
});
