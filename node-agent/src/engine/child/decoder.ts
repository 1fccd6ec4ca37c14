import { setTimeout as delay } from "node:timers/promises";
import { BombyxError } from "@bombyx/protocol/wire";
import {
  type LlamaContextSequence,
  type LlamaGrammarEvaluationState,
  type LlamaModel,
  type Token,
  TokenBias,
} from "node-llama-cpp";
import type { EngineCounts } from "../engine.ts";
import type { Pace } from "./pace.ts";
import type { Sampler } from "./sampling.ts";

export interface Decoding {
  readonly sampler: Sampler;
  readonly seed: number;
  readonly maxTokens: number;
  readonly promptTokensMax: number;
  /** Prompt tokens between two looks at the abort signal. */
  readonly chunkTokens: number;
}

/** Above every logit that a model gives. */
const certainLogit = 10_000;

/**
 * One request on one sequence: prefill with reuse of the session's prefix, then sampling in runs that
 * the caller may break, inject tokens behind, and go on. It counts every token that it evaluates.
 */
export class Decoder {
  readonly #model: LlamaModel;
  readonly #sequence: LlamaContextSequence;
  readonly #decoding: Decoding;
  readonly #pace: Pace;
  readonly #signal: AbortSignal;
  /** In the context or about to be: prompt, answer, injected text. */
  readonly #tokens: Token[] = [];
  /** The last of `#tokens`, not evaluated yet. */
  #pending: Token[] = [];
  #runs = 0;
  #promptTokens = 0;
  #cachedTokens = 0;
  #completionTokens = 0;
  reasoningTokens = 0;

  constructor(
    model: LlamaModel,
    sequence: LlamaContextSequence,
    decoding: Decoding,
    pace: Pace,
    signal: AbortSignal,
  ) {
    this.#model = model;
    this.#sequence = sequence;
    this.#decoding = decoding;
    this.#pace = pace;
    this.#signal = signal;
  }

  get counts(): EngineCounts {
    return {
      promptTokens: this.#promptTokens,
      cachedTokens: this.#cachedTokens,
      completionTokens: this.#completionTokens,
      reasoningTokens: this.reasoningTokens,
    };
  }

  get tokens(): readonly Token[] {
    return this.#tokens;
  }

  /** No room for another token, asked for or possible. */
  get exhausted(): boolean {
    return (
      this.#completionTokens >= this.#decoding.maxTokens ||
      this.#tokens.length >= this.#sequence.contextSize - 1
    );
  }

  /**
   * Loads the prompt, reusing what this session's last request left in the sequence.
   * @param replayTokens Tokens that {@link replay} will add to the prompt.
   * @throws BombyxError CAP or CONTEXT_TOO_LONG before any inference.
   */
  async prefill(prompt: readonly Token[], replayTokens = 0): Promise<void> {
    const { promptTokensMax, chunkTokens } = this.#decoding;
    const promptTokens = prompt.length + replayTokens;
    if (promptTokens > promptTokensMax) {
      throw new BombyxError(
        "CAP",
        `The prompt has ${promptTokens} tokens, but the request pays for ${promptTokensMax} at most. Raise the ceiling or shorten the conversation.`,
      );
    }
    const room = this.#sequence.contextSize - 2;
    if (promptTokens > room) {
      throw new BombyxError(
        "CONTEXT_TOO_LONG",
        `The prompt has ${promptTokens} tokens, but this model's context takes ${room} beside an answer. Shorten the conversation.`,
        { field: "messages" },
      );
    }
    let at = await this.#reuse(prompt);
    this.#promptTokens = prompt.length;
    this.#tokens.push(...prompt);
    while (prompt.length - at > chunkTokens && !this.#signal.aborted) {
      await this.#sequence.evaluateWithoutGeneratingNewTokens(prompt.slice(at, at + chunkTokens), {
        contextShift: noShift,
      });
      at += chunkTokens;
    }
    this.#pending = prompt.slice(at);
  }

  /** Where evaluation of the prompt begins; at least one token is left, for its logits. */
  async #reuse(prompt: readonly Token[]): Promise<number> {
    const { firstDifferentIndex } = this.#sequence.compareContextTokens([...prompt]);
    const keep = Math.min(firstDifferentIndex, prompt.length - 1);
    // Some architectures erase by going back to a checkpoint and evaluating again: that is not cached.
    const evaluatedBefore = this.#sequence.tokenMeter.usedInputTokens;
    if (keep < this.#sequence.nextTokenIndex) await this.#eraseFrom(keep);
    const again = this.#sequence.tokenMeter.usedInputTokens - evaluatedBefore;
    const kept = Math.min(keep, this.#sequence.nextTokenIndex);
    this.#cachedTokens = Math.max(0, kept - again);
    return kept;
  }

  async #eraseFrom(start: number): Promise<void> {
    await this.#sequence.eraseContextTokenRanges([{ start, end: this.#sequence.nextTokenIndex }]);
  }

  /**
   * Samples until the model ends its turn, the limit is reached, the request is cancelled or the caller
   * breaks. Every yielded token is counted; the next run goes on behind it.
   * @param repeats The tokens only repeat text that was delivered: they belong to the prompt.
   */
  async *sample(
    grammar?: LlamaGrammarEvaluationState,
    repeats = false,
  ): AsyncGenerator<Token, "end" | "limit" | "cancelled"> {
    if (this.#signal.aborted) return "cancelled";
    if (this.exhausted) return "limit";
    const { sampler, seed } = this.#decoding;
    const run = this.#sequence.evaluate(this.#pending, {
      temperature: sampler.temperature,
      topP: sampler.topP,
      topK: sampler.topK,
      // Each run has a sampler of its own; a later one must not draw the same numbers again.
      seed: (seed + this.#runs++) >>> 0,
      contextShift: noShift,
      ...(grammar !== undefined && { grammarEvaluationState: grammar }),
    });
    for await (const token of run) {
      this.#pending = [token];
      this.#tokens.push(token);
      if (repeats) this.#promptTokens += 1;
      else this.#completionTokens += 1;
      await this.#keepPace();
      if (this.#signal.aborted) return "cancelled";
      yield token;
      if (this.exhausted) return "limit";
    }
    this.#pending = [];
    return "end";
  }

  async #keepPace(): Promise<void> {
    const waitMs = this.#pace.waitMs(performance.now());
    if (waitMs > 0) await delay(waitMs, undefined, { signal: this.#signal }).catch(() => undefined);
  }

  /**
   * Feeds text that was delivered already through the sampler, so that `grammar` knows how far it is.
   * These tokens belong to the prompt.
   * @returns false when the text does not match the grammar.
   */
  async replay(tokens: readonly Token[], grammar: LlamaGrammarEvaluationState): Promise<boolean> {
    if (tokens.length === 0) return true;
    let at = 0;
    const run = this.#sequence.evaluate(this.#pending, {
      temperature: 0,
      grammarEvaluationState: grammar,
      tokenBias: () => {
        const wanted = tokens[at];
        const bias = TokenBias.for(this.#model);
        return wanted === undefined ? bias : bias.set(wanted, { logit: certainLogit });
      },
      contextShift: noShift,
    });
    for await (const token of run) {
      if (token !== tokens[at] || this.#signal.aborted) break;
      this.#tokens.push(token);
      this.#pending = [token];
      this.#promptTokens += 1;
      at += 1;
      if (at === tokens.length) break;
    }
    return at === tokens.length || this.#signal.aborted;
  }

  /** The last token said more than it repeats. */
  countLastAsCompletion(): void {
    this.#promptTokens -= 1;
    this.#completionTokens += 1;
  }

  /** Puts text of the template behind what was generated; it is neither sampled nor counted. */
  inject(tokens: readonly Token[]): void {
    this.#tokens.push(...tokens);
    this.#pending.push(...tokens);
  }

  /** Takes back the last tokens, so that other text can stand in their place. */
  async rewind(length: number): Promise<void> {
    this.#tokens.length = length;
    if (this.#sequence.nextTokenIndex > length) await this.#eraseFrom(length);
    this.#pending = this.#tokens.slice(this.#sequence.nextTokenIndex);
  }

  textOf(tokens: readonly Token[]): string {
    return this.#model.detokenize(tokens, true);
  }
}

/** The engine never moves a context: a request that does not fit is refused or ends with `length`. */
const noShift = {
  strategy: (): never => {
    throw new BombyxError("CONTEXT_TOO_LONG", "The conversation outgrew the model's context. Shorten it.");
  },
};
