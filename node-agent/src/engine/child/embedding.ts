import { BombyxError } from "@bombyx/protocol/wire";
import type { LlamaModel } from "node-llama-cpp";
import type { EngineCounts, EngineProgress } from "../engine.ts";

const maxInputTokens = 8_192;

/** Encoder-decoder models have no single vector for a text. */
export const canEmbed = (model: LlamaModel): boolean =>
  !(model.fileInsights.hasEncoder && model.fileInsights.hasDecoder);

/**
 * One vector per input, in order, in a context of its own that is freed afterwards: nothing of one
 * session is left for the next.
 * @throws BombyxError BAD_REQUEST, CAP or CONTEXT_TOO_LONG before any inference.
 */
export async function embed(
  model: LlamaModel,
  threads: number,
  inputs: readonly string[],
  promptTokensMax: number,
  emit: (progress: EngineProgress) => void,
  signal: AbortSignal,
): Promise<EngineCounts> {
  if (!canEmbed(model)) {
    throw new BombyxError("BAD_REQUEST", "This model makes no embeddings. Choose another model.", {
      field: "model",
    });
  }
  const lengths = inputs.map((input) => model.tokenize(input).length + 2);
  const promptTokens = lengths.reduce((sum, length) => sum + length, 0);
  const contextSize = Math.min(maxInputTokens, model.trainContextSize);
  const long = lengths.findIndex((length) => length >= contextSize);
  if (long >= 0) {
    throw new BombyxError(
      "CONTEXT_TOO_LONG",
      `Input ${long} has ${lengths[long]} tokens; the model takes ${contextSize - 1}. Split it.`,
      { field: "input" },
    );
  }
  if (promptTokens > promptTokensMax) {
    throw new BombyxError(
      "CAP",
      `The inputs have ${promptTokens} tokens, but the request pays for ${promptTokensMax} at most. Raise the ceiling or send fewer.`,
    );
  }
  const size = Math.max(...lengths) + 1;
  const context = await model.createEmbeddingContext({ contextSize: size, batchSize: size, threads });
  let done = 0;
  const counts = (): EngineCounts => ({
    promptTokens: done,
    cachedTokens: 0,
    completionTokens: 0,
    reasoningTokens: 0,
  });
  try {
    for (const [index, input] of inputs.entries()) {
      if (signal.aborted) break;
      const length = context.calculateInputLength(input);
      const { vector } = await context.getEmbeddingFor(input);
      done += length;
      emit({ delta: { embedding: { index, values: [...unit(vector)] } }, counts: counts() });
    }
  } finally {
    await context.dispose();
  }
  return counts();
}

/** Scaled to length 1, as OpenAI's embeddings are. */
function unit(vector: readonly number[]): readonly number[] {
  const norm = Math.hypot(...vector);
  return norm === 0 ? vector : vector.map((value) => value / norm);
}
