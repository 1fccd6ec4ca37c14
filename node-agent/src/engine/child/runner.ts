import { BombyxError } from "@bombyx/protocol/wire";
import type { LlamaGrammar, Token } from "node-llama-cpp";
import type { EngineJob, EngineProgress, EngineResult } from "../engine.ts";
import type { EngineStart, Loaded } from "../pipe.ts";
import { measureCapacity } from "./benchmark.ts";
import { type AnswerPlan, ChatAnswer } from "./chat-answer.ts";
import { ChatTemplate } from "./chat-template.ts";
import { Decoder } from "./decoder.ts";
import { canEmbed, embed } from "./embedding.ts";
import { type Lane, Lanes } from "./lanes.ts";
import { type LoadedWeights, loadWeights } from "./load.ts";
import { Pace } from "./pace.ts";
import { defaultSampler, type Sampler, samplerOf, seedOf } from "./sampling.ts";
import { anyObjectGrammar, choiceGrammar } from "./schema-grammar.ts";
import { SchemaGuard, type SchemaSource } from "./schema-guard.ts";

type ChatJob = Extract<EngineJob, { kind: "chat" }>;
type TextJob = Exclude<EngineJob, { kind: "embedding" }>;
type Emit = (progress: EngineProgress) => void;

interface Prepared extends AnswerPlan {
  readonly prompt: readonly Token[];
  /** Text that was delivered already; sampled again under the grammar, so that the grammar knows it. */
  readonly replay: readonly Token[];
}

/** Runs jobs on the loaded model, each on a leased lane. */
export class Runner {
  readonly loaded: Loaded;
  readonly #weights: LoadedWeights;
  readonly #start: EngineStart;
  readonly #lanes: Lanes;
  readonly #template: ChatTemplate;
  readonly #defaults: Sampler;
  readonly #schemas = new SchemaGuard();
  #embedding: Promise<unknown> = Promise.resolve();

  private constructor(start: EngineStart, weights: LoadedWeights, template: ChatTemplate, loaded: Loaded) {
    this.#start = start;
    this.#weights = weights;
    this.#template = template;
    this.#defaults = loaded.sampler;
    this.loaded = loaded;
    this.#lanes = new Lanes(weights.context, start.slots);
  }

  static async load(start: EngineStart, onProgress: (fraction: number) => void): Promise<Runner> {
    const weights = await loadWeights(start, onProgress);
    const template = new ChatTemplate(weights.model);
    const capacity = await measureCapacity(weights.context, weights.model, start.slots);
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
  async run(job: EngineJob, onStart: () => void, emit: Emit, signal: AbortSignal): Promise<EngineResult> {
    if (job.kind === "embedding") return this.#embed(job, onStart, emit, signal);
    const prepared = await this.#prepare(job);
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
    const decoding = { sampler, seed, maxTokens: job.maxTokens, promptTokensMax: job.promptTokensMax };
    const pace = new Pace(this.#start.paceTokensPerSecond);
    const { model } = this.#weights;
    const decoder = new Decoder(model, lane.sequence, decoding, pace, signal);
    await decoder.prefill(prepared.prompt);
    emit({ counts: decoder.counts });
    const template = job.kind === "chat" ? this.#template : undefined;
    const answer = new ChatAnswer(model, template, decoder, prepared, emit);
    const { finishReason, counts } = await answer.run();
    return { counts, finishReason, seed, sampler };
  }

  async #prepare(job: TextJob): Promise<Prepared> {
    const { model } = this.#weights;
    if (job.kind === "completion") {
      const { bos, shouldPrependBosToken } = model.tokens;
      const text = model.tokenize(job.prompt + (job.prefix ?? ""), true);
      const prompt = shouldPrependBosToken && bos !== null && text[0] !== bos ? [bos, ...text] : text;
      if (prompt.length === 0)
        throw new BombyxError("BAD_REQUEST", "The prompt is empty.", { field: "prompt" });
      return { ...plain, prompt, stops: job.stop };
    }
    return this.#prepareChat(job);
  }

  async #prepareChat(job: ChatJob): Promise<Prepared> {
    const named = typeof job.toolChoice === "object" ? job.toolChoice.name : undefined;
    const forced = named !== undefined || job.toolChoice === "required";
    const offered =
      job.toolChoice === "none"
        ? []
        : named === undefined
          ? job.tools
          : job.tools.filter(({ name }) => name === named);
    if (forced && offered.length === 0) {
      throw new BombyxError(
        "BAD_REQUEST",
        "tool_choice asks for a tool that is not in tools. Add it to tools.",
        {
          field: "tool_choice",
        },
      );
    }
    const takesArguments = offered.filter(
      ({ parameters }) => Object.keys(Object(parameters?.properties)).length > 0,
    );
    const sources: SchemaSource[] = takesArguments.map(({ parameters }) => ({
      schema: parameters ?? {},
      field: "tools",
    }));
    if (typeof job.jsonSchema === "object")
      sources.push({ schema: job.jsonSchema, field: "response_format" });
    const texts = await this.#schemas.compile(sources);
    const grammars = await Promise.all(
      texts.map((text, index) => this.#grammar(text, sources[index]?.field ?? "tools")),
    );
    const answerGrammar =
      job.jsonSchema === true
        ? await this.#grammar(anyObjectGrammar(), "response_format")
        : typeof job.jsonSchema === "object"
          ? grammars.at(-1)
          : undefined;
    const structured = forced || answerGrammar !== undefined || job.prefix !== undefined;
    const rendered = this.#template.render(job.messages, offered, structured);
    const delivered = job.prefix === undefined ? [] : this.#template.plain(job.prefix);
    const replays = answerGrammar !== undefined && !forced;
    return {
      prompt: replays ? rendered.tokens : [...rendered.tokens, ...delivered],
      replay: replays ? delivered : [],
      stops: job.stop,
      turnEnds: rendered.stops,
      thinking: rendered.thinking,
      forced,
      tools: offered.map((tool) => ({ ...tool, grammar: grammars[takesArguments.indexOf(tool)] })),
      names:
        offered.length > 1
          ? await this.#grammar(choiceGrammar(offered.map(({ name }) => name)), "tools")
          : undefined,
      grammar: forced ? undefined : answerGrammar,
    };
  }

  async #grammar(text: string, field: string): Promise<LlamaGrammar> {
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
  replay: [],
  turnEnds: [],
  thinking: false,
  forced: false,
  tools: [],
  names: undefined,
  grammar: undefined,
} as const;
