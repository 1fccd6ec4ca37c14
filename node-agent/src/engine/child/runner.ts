import { BombyxError } from "@bombyx/protocol/wire";
import type { LlamaGrammar, Token } from "node-llama-cpp";
import type { EngineJob, EngineProgress, EngineResult, Tool } from "../engine.ts";
import { beginningGrammar } from "../gbnf.ts";
import { forcesTool, offeredTools } from "../job-grammars.ts";
import type { EngineStart, JobGrammars, Loaded } from "../pipe.ts";
import { measureCapacity } from "./benchmark.ts";
import { type AnswerPlan, ChatAnswer } from "./chat-answer.ts";
import { ChatTemplate, type RenderedChat } from "./chat-template.ts";
import { cutOpenEnd } from "./continuation.ts";
import { Decoder } from "./decoder.ts";
import { canEmbed, embed } from "./embedding.ts";
import { type Lane, Lanes } from "./lanes.ts";
import { type LoadedWeights, loadWeights } from "./load.ts";
import { Pace } from "./pace.ts";
import { defaultSampler, type Sampler, samplerOf, seedOf } from "./sampling.ts";

type ChatJob = Extract<EngineJob, { kind: "chat" }>;
type TextJob = Exclude<EngineJob, { kind: "embedding" }>;
type Emit = (progress: EngineProgress) => void;

interface Continuation extends Pick<AnswerPlan, "replay" | "open"> {
  readonly prompt: readonly Token[];
}
type Prepared = AnswerPlan & Continuation;

/** Runs jobs on the loaded model, each on a leased lane. */
export class Runner {
  readonly loaded: Loaded;
  readonly #weights: LoadedWeights;
  readonly #start: EngineStart;
  readonly #lanes: Lanes;
  readonly #template: ChatTemplate;
  readonly #defaults: Sampler;
  /** Prompt tokens between two looks at the abort signal: a quarter of a second's worth. */
  readonly #chunkTokens: number;
  #embedding: Promise<unknown> = Promise.resolve();

  private constructor(start: EngineStart, weights: LoadedWeights, template: ChatTemplate, loaded: Loaded) {
    this.#start = start;
    this.#weights = weights;
    this.#template = template;
    this.#defaults = loaded.sampler;
    this.loaded = loaded;
    this.#chunkTokens = Math.min(512, Math.max(16, Math.ceil(loaded.prefillTokensPerSecond / 4)));
    this.#lanes = new Lanes(weights.context, start.slots);
  }

  static async load(start: EngineStart, onProgress: (fraction: number) => void): Promise<Runner> {
    const weights = await loadWeights(start, onProgress);
    const template = new ChatTemplate(weights.model);
    const capacity = start.capacity ?? (await measureCapacity(weights.context, weights.model, start.slots));
    return new Runner(start, weights, template, {
      ...capacity,
      contextTokens: weights.contextTokens,
      slots: start.slots,
      embeddings: canEmbed(weights.model),
      chatTemplateHash: template.hash,
      build: weights.build,
      sampler: defaultSampler(weights.model),
      flags: [...weights.flags],
    });
  }

  forget(session: string): void {
    this.#lanes.forget(session);
  }

  /** @throws BombyxError; whatever else it throws is the engine's own failure. */
  async run(
    job: EngineJob,
    grammars: JobGrammars,
    onStart: () => void,
    emit: Emit,
    signal: AbortSignal,
  ): Promise<EngineResult> {
    if (job.kind === "embedding") return this.#embed(job, onStart, emit, signal);
    const prepared = await this.#prepare(job, grammars);
    const lane = await this.#lanes.acquire(job.session, signal);
    let broken = true;
    try {
      onStart();
      const result = await this.#answer(job, prepared, lane, emit, signal);
      broken = false;
      return result;
    } catch (error) {
      broken = !(error instanceof BombyxError);
      throw error;
    } finally {
      this.#lanes.release(lane, broken);
    }
  }

  async #answer(
    job: TextJob,
    prepared: Prepared,
    lane: Lane,
    emit: Emit,
    signal: AbortSignal,
  ): Promise<EngineResult> {
    const sampler = samplerOf(job, this.#defaults);
    const seed = seedOf(job.seed);
    const decoding = {
      sampler,
      seed,
      maxTokens: job.maxTokens,
      promptTokensMax: job.promptTokensMax,
      chunkTokens: this.#chunkTokens,
    };
    const pace = new Pace(this.#start.paceTokensPerSecond);
    const { model } = this.#weights;
    const decoder = new Decoder(model, lane.sequence, decoding, pace, signal);
    await decoder.prefill(prepared.prompt, prepared.replay.length);
    emit({ counts: decoder.counts });
    const template = job.kind === "chat" ? this.#template : undefined;
    const answer = new ChatAnswer(model, template, decoder, prepared, emit);
    const { finishReason, counts } = await answer.run();
    return { counts, finishReason, seed, sampler };
  }

  async #prepare(job: TextJob, grammars: JobGrammars): Promise<Prepared> {
    const { model } = this.#weights;
    if (job.kind === "completion") {
      const { bos, shouldPrependBosToken } = model.tokens;
      const text = model.tokenize(job.prompt, true);
      const prompt = shouldPrependBosToken && bos !== null && text[0] !== bos ? [bos, ...text] : text;
      if (prompt.length === 0)
        throw new BombyxError("BAD_REQUEST", "The prompt is empty.", { field: "prompt" });
      return { ...plain, ...(await this.#continued(prompt, job.prefix ?? "", "text")), stops: job.stop };
    }
    return this.#prepareChat(job, grammars);
  }

  async #prepareChat(job: ChatJob, grammars: JobGrammars): Promise<Prepared> {
    const offered = offeredTools(job);
    const forced = forcesTool(job);
    const answer = forced ? undefined : await this.#grammar(grammars.answer, "response_format");
    const structured = forced || answer !== undefined || job.prefix !== undefined;
    const rendered = this.#render(job, offered, structured);
    const tools = offered.map(async (tool, index) => ({
      ...tool,
      grammar: await this.#grammar(grammars.tools[index], "tools"),
    }));
    return {
      ...(await this.#continued(rendered.tokens, job.prefix ?? "", forced ? "call" : (answer ?? "text"))),
      stops: job.stop,
      turnEnds: rendered.stops,
      thinking: rendered.thinking,
      forced,
      tools: await Promise.all(tools),
      names: await this.#grammar(grammars.names, "tools"),
      answer,
    };
  }

  #render(job: ChatJob, offered: readonly Tool[], structured: boolean): RenderedChat {
    try {
      return this.#template.render(job.messages, offered, structured);
    } catch (cause) {
      if (cause instanceof BombyxError) throw cause;
      throw new BombyxError("BAD_REQUEST", "The model's chat template does not take this conversation.", {
        field: "messages",
        cause,
      });
    }
  }

  /** The prompt and the text of a lost attempt behind it, so that sampling goes on as if it had never stopped. */
  async #continued(
    prompt: readonly Token[],
    delivered: string,
    next: "text" | "call" | LlamaGrammar,
  ): Promise<Continuation> {
    const { model } = this.#weights;
    const tokens = delivered === "" ? [] : model.tokenize(delivered, false, "trimLeadingSpace");
    if (typeof next === "object") return { prompt, replay: tokens, open: undefined };
    const cut = next === "call" ? undefined : cutOpenEnd(model, tokens, delivered);
    if (cut === undefined) return { prompt: [...prompt, ...tokens], replay: [], open: undefined };
    const grammar = await this.#weights.llama.createGrammar({ grammar: beginningGrammar(cut.text) });
    return { prompt: [...prompt, ...cut.kept], replay: [], open: { text: cut.text, grammar } };
  }

  async #grammar(text: string | null | undefined, field: string): Promise<LlamaGrammar | undefined> {
    if (text === null || text === undefined) return undefined;
    try {
      return await this.#weights.llama.createGrammar({ grammar: text });
    } catch (cause) {
      throw new BombyxError(
        "BAD_REQUEST",
        "The schema refers to itself without end, or is too large to enforce.",
        {
          field,
          cause,
        },
      );
    }
  }

  /** One after the other: each takes memory for a context of its own. */
  #embed(
    job: Extract<EngineJob, { kind: "embedding" }>,
    onStart: () => void,
    emit: Emit,
    signal: AbortSignal,
  ): Promise<EngineResult> {
    const turn = this.#embedding.then(async (): Promise<EngineResult> => {
      onStart();
      const { model } = this.#weights;
      const counts = await embed(model, this.#start.threads, job.inputs, job.promptTokensMax, emit, signal);
      const finishReason = signal.aborted ? "cancelled" : "stop";
      return { counts, finishReason, seed: 0, sampler: { temperature: 0, topP: 1, topK: 0 } };
    });
    this.#embedding = turn.catch(() => undefined);
    return turn;
  }
}

const plain = {
  turnEnds: [],
  thinking: false,
  forced: false,
  tools: [],
  names: undefined,
  answer: undefined,
} as const;
