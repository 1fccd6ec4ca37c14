import type { LlamaContext, LlamaModel, Token } from "node-llama-cpp";
import type { Capacity } from "../pipe.ts";

const prefillBudgetMs = 200;
const decodeBudgetMs = 300;
const prefillTokens = 128;
const mostPrefillSeconds = 2;

/**
 * Measures what this machine really does: a prompt alone, then all slots generating together. Runs on
 * sequences that are given back empty; a slow machine stops after one chunk and a few tokens.
 */
export async function measureCapacity(
  context: LlamaContext,
  model: LlamaModel,
  slots: number,
): Promise<Capacity> {
  // The first evaluation pays for warming up, and tells how long a prompt this machine can take.
  const text = model
    .tokenize("The quick brown fox jumps over the lazy dog. ".repeat(40))
    .slice(0, Math.min(prefillTokens, Math.floor(context.contextSize / 4)));
  const warming = await prefill(context, text.slice(0, 8), 0);
  const prompt = text.slice(0, Math.max(16, warming * mostPrefillSeconds));
  const prefillTokensPerSecond = await prefill(context, prompt, prefillBudgetMs);
  const decodeTokensPerSecond = await decode(context, prompt.slice(0, 8), slots);
  return { prefillTokensPerSecond, decodeTokensPerSecond };
}

async function prefill(context: LlamaContext, prompt: readonly Token[], budgetMs: number): Promise<number> {
  const sequence = context.getSequence();
  const startedAt = performance.now();
  let tokens = 0;
  let tookMs = 0;
  do {
    await sequence.clearHistory();
    await sequence.evaluateWithoutGeneratingNewTokens([...prompt]);
    tokens += prompt.length;
    tookMs = performance.now() - startedAt;
  } while (tookMs < budgetMs);
  await sequence.dispose();
  return perSecond(tokens, tookMs);
}

async function decode(context: LlamaContext, prompt: readonly Token[], slots: number): Promise<number> {
  const startedAt = performance.now();
  const mostTokens = Math.floor(context.contextSize / 2);
  const counts = await Promise.all(
    Array.from({ length: slots }, async () => {
      const sequence = context.getSequence();
      let tokens = 0;
      for await (const _ of sequence.evaluate([...prompt], { temperature: 0, yieldEogToken: true })) {
        tokens += 1;
        if (tokens >= mostTokens || (tokens >= 2 && performance.now() - startedAt > decodeBudgetMs)) break;
      }
      await sequence.dispose();
      return tokens;
    }),
  );
  const tokens = counts.reduce((sum, one) => sum + one, 0);
  return perSecond(tokens, performance.now() - startedAt);
}

const perSecond = (tokens: number, ms: number): number => Math.round((tokens / Math.max(ms, 1)) * 1_000);
