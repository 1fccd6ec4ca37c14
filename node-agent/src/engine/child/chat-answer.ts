import { randomUUID } from "node:crypto";
import { type AnswerDelta, BombyxError } from "@bombyx/protocol/wire";
import { type LlamaGrammar, LlamaGrammarEvaluationState, type LlamaModel, type Token } from "node-llama-cpp";
import type { EngineCounts, EngineProgress, EngineResult, Tool } from "../engine.ts";
import type { ChatTemplate } from "./chat-template.ts";
import type { Decoder } from "./decoder.ts";
import { MarkerScanner } from "./marker-scanner.ts";
import { TokenText } from "./token-text.ts";

type Finish = EngineResult["finishReason"];
type Ending = "end" | "limit" | "cancelled";

export interface OfferedTool extends Tool {
  /** Of its arguments; undefined when it takes none. */
  readonly grammar: LlamaGrammar | undefined;
}

export interface AnswerPlan {
  readonly stops: readonly string[];
  /** Texts of the template that end the turn. */
  readonly turnEnds: readonly string[];
  readonly thinking: boolean;
  readonly tools: readonly OfferedTool[];
  /** The answer is a tool call, enforced by grammar. */
  readonly forced: boolean;
  /** One of the tools' names; needed when there are several. */
  readonly names: LlamaGrammar | undefined;
  /** What the whole answer must match. */
  readonly answer: LlamaGrammar | undefined;
  /** Delivered text that is sampled again, so that `answer`'s grammar knows it. */
  readonly replay: readonly Token[];
  /** Delivered text whose tokens were taken back: what comes next begins with it. */
  readonly open: { readonly text: string; readonly grammar: LlamaGrammar } | undefined;
}

const maxCalls = 16;
const finishOf: Readonly<Record<Ending, Finish>> = { end: "stop", limit: "length", cancelled: "cancelled" };

/** Samples one chat answer and sorts it into text, thoughts and tool calls while it grows. */
export class ChatAnswer {
  readonly #model: LlamaModel;
  readonly #template: ChatTemplate | undefined;
  readonly #decoder: Decoder;
  readonly #plan: AnswerPlan;
  readonly #emit: (progress: EngineProgress) => void;
  #thinking: boolean;
  #scanner = new MarkerScanner([]);
  /** Blank space between a thought and the answer belongs to the template. */
  #trimming = false;
  /** Since the run began: how far into its text each token reaches. */
  #reach: { readonly tokens: number; readonly text: number }[] = [];
  #textLength = 0;

  constructor(
    model: LlamaModel,
    template: ChatTemplate | undefined,
    decoder: Decoder,
    plan: AnswerPlan,
    emit: (progress: EngineProgress) => void,
  ) {
    this.#model = model;
    this.#template = template;
    this.#decoder = decoder;
    this.#plan = plan;
    this.#emit = emit;
    this.#thinking = plan.thinking;
  }

  async run(): Promise<{ readonly finishReason: Finish; readonly counts: EngineCounts }> {
    const finishReason = this.#plan.forced ? await this.#forcedCall() : await this.#free();
    return { finishReason, counts: this.#decoder.counts };
  }

  async #forcedCall(): Promise<Finish> {
    this.#decoder.inject(this.#templated().callPrefix());
    const ending = await this.#call(0);
    return ending === "end" ? "tool_calls" : finishOf[ending];
  }

  async #free(): Promise<Finish> {
    const state = this.#state(this.#plan.answer);
    if (state !== undefined && !(await this.#decoder.replay(this.#plan.replay, state))) {
      throw new BombyxError(
        "BAD_REQUEST",
        "prefix is not the beginning of an answer in this response_format.",
        {
          field: "prefix",
        },
      );
    }
    const found = await this.#text(state, true, await this.#closeOpenEnd());
    return found === "call" ? this.#calls() : found;
  }

  /** Samples the token that the delivered text may have cut; returns what goes beyond that text. */
  async #closeOpenEnd(): Promise<string> {
    const { open } = this.#plan;
    if (open === undefined) return "";
    const text = new TokenText(this.#model, this.#decoder.tokens);
    let whole = "";
    for await (const token of this.#decoder.sample(this.#state(open.grammar), true)) {
      whole += text.push(token);
      if (whole.length >= open.text.length) break;
    }
    if (whole.length > open.text.length) this.#decoder.countLastAsCompletion();
    return whole.slice(open.text.length);
  }

  async #calls(): Promise<Finish> {
    for (let index = 0; index < maxCalls; index += 1) {
      const name: { value?: string } = {};
      const ending = await this.#call(index, name);
      if (ending !== "end") return finishOf[ending];
      const suffix = this.#templated().nextCallPrefix(name.value ?? "");
      if (suffix === undefined || this.#decoder.exhausted) break;
      this.#decoder.inject(suffix);
      if ((await this.#text(undefined, false)) !== "call") break;
    }
    return "tool_calls";
  }

  /**
   * Samples up to a marker.
   * @param shown Text goes to the client; else (behind a tool call) anything but another call ends it.
   */
  async #text(
    state: LlamaGrammarEvaluationState | undefined,
    shown: boolean,
    begunWith = "",
  ): Promise<Finish | "call"> {
    const text = new TokenText(this.#model, this.#decoder.tokens);
    const begun = this.#decoder.tokens.length;
    this.#scanner = new MarkerScanner(this.#markers());
    this.#reach = [];
    this.#textLength = begunWith.length;
    const sampling = this.#decoder.sample(state);
    let found = this.#scan(begunWith, shown);
    while (found === undefined) {
      const step = await sampling.next();
      if (step.done === true) {
        if (shown) this.#say(this.#scanner.flush());
        return finishOf[step.value];
      }
      if (this.#thinking) this.#decoder.reasoningTokens += 1;
      const piece = this.#pieceOf(step.value, text);
      this.#textLength += piece.length;
      this.#reach.push({ tokens: this.#decoder.tokens.length, text: this.#textLength });
      found = this.#scan(piece, shown);
    }
    await sampling.return("end");
    if (typeof found === "string") return found;
    await this.#rewindTo(begun, found.callAt);
    return "call";
  }

  /** Sorts one more piece of text; returns what ends the run, if it does. */
  #scan(piece: string, shown: boolean): Finish | { readonly callAt: number } | undefined {
    let left = piece;
    while (left !== "") {
      const { scanned, rest } = this.#scanner.push(left);
      left = rest;
      for (const part of scanned) {
        if ("text" in part) {
          if (shown) this.#say(part.text);
          else if (part.text.trim() !== "") return "tool_calls";
          continue;
        }
        const turn = this.#turnOf(part.marker);
        if (turn === "stop") return "stop";
        if (turn === "call") return { callAt: this.#textLength - rest.length - part.marker.length };
        this.#thinking = turn === "think";
        this.#trimming = true;
        this.#scanner = new MarkerScanner(this.#markers());
      }
    }
    return undefined;
  }

  /** Control tokens have a text of their own: it counts only where it is part of a marker. */
  #pieceOf(token: Token, text: TokenText): string {
    const piece = text.push(token);
    if (!this.#model.isSpecialToken(token)) return piece;
    return this.#markers().some((marker) => marker.includes(piece)) ? piece : "";
  }

  #markers(): readonly string[] {
    const thought = this.#template?.thought;
    if (this.#thinking) return [...this.#plan.turnEnds, thought?.close ?? ""];
    const calls = this.#plan.tools.length > 0 ? (this.#template?.callOpenings ?? []) : [];
    return [...this.#plan.stops, ...this.#plan.turnEnds, thought?.open ?? "", thought?.close ?? "", ...calls];
  }

  #turnOf(marker: string): "stop" | "think" | "speak" | "call" {
    const thought = this.#template?.thought;
    if (!this.#thinking && this.#plan.stops.includes(marker)) return "stop";
    if (this.#plan.turnEnds.includes(marker)) return "stop";
    if (marker === thought?.open) return "think";
    if (marker === thought?.close) return "speak";
    return "call";
  }

  /** Text before `at` stays; the opening behind it is replaced by the template's own. */
  async #rewindTo(begun: number, at: number): Promise<void> {
    const kept = this.#reach.findLast(({ text }) => text <= at);
    const before = this.#decoder
      .textOf(this.#decoder.tokens.slice(kept?.tokens ?? begun))
      .slice(0, at - (kept?.text ?? 0));
    await this.#decoder.rewind(kept?.tokens ?? begun);
    const template = this.#templated();
    this.#decoder.inject([...template.plain(before), ...template.callPrefix()]);
  }

  /** One call, from behind its opening: the name, then arguments by the tool's own grammar. */
  async #call(index: number, chosen: { value?: string } = {}): Promise<Ending> {
    const { tools } = this.#plan;
    const only = tools.length === 1 ? tools[0] : undefined;
    const name = only?.name ?? (await this.#collect(this.#plan.names, () => undefined));
    if (typeof name !== "string") return name.ending;
    const tool = tools.find((one) => one.name === name);
    if (tool === undefined) return "limit";
    chosen.value = name;
    const call = (delta: {
      readonly id?: string;
      readonly name?: string;
      readonly arguments: string;
    }): void => this.#send({ toolCall: { index, ...delta } });
    call({ id: `call_${randomUUID().replaceAll("-", "")}`, name, arguments: "" });
    this.#decoder.inject(this.#templated().callParamsPrefix(name));
    if (tool.grammar === undefined) {
      call({ arguments: "{}" });
      this.#decoder.inject(this.#templated().plain("{}"));
      return "end";
    }
    const collected = await this.#collect(tool.grammar, (text) => call({ arguments: text }));
    return typeof collected === "string" ? "end" : collected.ending;
  }

  /** Samples under a grammar until it is satisfied. */
  async #collect(
    grammar: LlamaGrammar | undefined,
    onText: (text: string) => void,
  ): Promise<string | { readonly ending: "limit" | "cancelled" }> {
    const text = new TokenText(this.#model, this.#decoder.tokens);
    const sampling = this.#decoder.sample(this.#state(grammar));
    let whole = "";
    for (;;) {
      const step = await sampling.next();
      if (step.done === true) return step.value === "end" ? whole : { ending: step.value };
      const piece = text.push(step.value);
      whole += piece;
      if (piece !== "") onText(piece);
    }
  }

  #say(text: string): void {
    const said = this.#trimming ? text.trimStart() : text;
    if (said === "") return;
    this.#trimming = false;
    this.#send(this.#thinking ? { reasoning: said } : { text: said });
  }

  #state(grammar: LlamaGrammar | undefined): LlamaGrammarEvaluationState | undefined {
    return grammar && new LlamaGrammarEvaluationState({ model: this.#model, grammar });
  }

  #send(delta: AnswerDelta): void {
    this.#emit({ delta, counts: this.#decoder.counts });
  }

  #templated(): ChatTemplate {
    if (this.#template === undefined) throw new Error("a raw completion has no tool calls");
    return this.#template;
  }
}
