import { createHash } from "node:crypto";
import { BombyxError } from "@bombyx/protocol/wire";
import {
  type ChatWrapper,
  type LlamaModel,
  LlamaText,
  resolveChatWrapper,
  SpecialTokensText,
  type Token,
} from "node-llama-cpp";
import type { ChatMessage, Tool } from "../engine.ts";
import { chatHistory } from "./chat-history.ts";

export interface RenderedChat {
  readonly tokens: readonly Token[];
  /** Texts that end the model's turn. */
  readonly stops: readonly string[];
  /** The turn begins inside a thought. */
  readonly thinking: boolean;
}

type Piece = string | LlamaText;

/**
 * The model's own chat template, through node-llama-cpp's wrapper for it: how a conversation becomes
 * tokens, and which texts in the answer mean a thought, a tool call or the end.
 */
export class ChatTemplate {
  readonly #model: LlamaModel;
  readonly #wrapper: ChatWrapper;
  readonly hash: string;
  /** Texts around a thought; undefined when the format knows none. */
  readonly thought: { readonly open: string | undefined; readonly close: string } | undefined;
  /** Texts that begin a tool call. */
  readonly callOpenings: readonly string[];

  /** @throws BombyxError BAD_REQUEST for a format that this engine cannot drive. */
  constructor(model: LlamaModel) {
    this.#model = model;
    this.#wrapper = resolveChatWrapper(model, { warningLogs: false });
    const source = model.fileInfo.metadata.tokenizer?.chat_template;
    this.hash = createHash("sha256")
      .update(source ?? `wrapper:${this.#wrapper.wrapperName}`)
      .digest("hex");
    const probe = this.#wrapper.generateContextState({
      chatHistory: chatHistory([{ role: "user", content: "x" }]),
    });
    if (probe.prefixTriggers !== undefined || probe.rerender !== undefined) {
      throw new BombyxError(
        "BAD_REQUEST",
        `This model's chat format (${this.#wrapper.wrapperName}) is not supported yet. Use a model with a ChatML, Llama, Qwen, Gemma or Mistral template.`,
        { field: "model" },
      );
    }
    this.thought = this.#thoughtMarkers(source ?? "");
    const { functions } = this.#wrapper.settings;
    const { call, parallelism } = functions;
    this.callOpenings = [
      parallelism?.call.sectionPrefix ?? "",
      ...(parallelism?.call.sectionPrefixAlternateMatches ?? []),
      call.prefix,
      ...(call.prefixAlternateMatches ?? []),
    ]
      .map((piece) => this.#text(piece).trim())
      .filter((text) => text !== "");
  }

  /** @param structured The answer has a grammar, or goes on behind text that was delivered: it does not think first. */
  render(messages: readonly ChatMessage[], tools: readonly Tool[], structured: boolean): RenderedChat {
    const state = this.#wrapper.generateContextState({
      chatHistory: chatHistory(messages),
      ...(tools.length > 0 && { availableFunctions: functionsOf(tools), documentFunctionParams: true }),
    });
    if (state.functionCall?.initiallyEngaged === true && tools.length > 0) {
      throw new BombyxError("BAD_REQUEST", "This model's format takes no tools here. Ask without tools.", {
        field: "tools",
      });
    }
    const tokens = state.contextText.tokenize(this.#model.tokenizer);
    const { bos, shouldPrependBosToken } = this.#model.tokens;
    if (shouldPrependBosToken && bos !== null && tokens[0] !== bos) tokens.unshift(bos);
    const thinking = this.#enterThought(tokens, structured);
    const stops = state.stopGenerationTriggers
      .map((trigger) => this.#text(trigger))
      .filter((text) => text !== "");
    return { tokens, stops, thinking };
  }

  /** Tokens that begin a call, up to its function's name. */
  callPrefix(): readonly Token[] {
    const { call, parallelism } = this.#wrapper.settings.functions;
    return this.#tokens(LlamaText([parallelism?.call.sectionPrefix ?? "", call.prefix]));
  }

  /** Tokens between two calls of one answer; undefined when the format has one call per answer. */
  nextCallPrefix(name: string): readonly Token[] | undefined {
    const { call, parallelism } = this.#wrapper.settings.functions;
    if (parallelism === undefined) return undefined;
    return this.#tokens(LlamaText([named(call.suffix, name)]));
  }

  callParamsPrefix(name: string): readonly Token[] {
    return this.#tokens(LlamaText([named(this.#wrapper.settings.functions.call.paramsPrefix, name)]));
  }

  plain(text: string): readonly Token[] {
    return this.#model.tokenize(text, false, "trimLeadingSpace");
  }

  /** Opens the thought that the format wants opened, or closes it; returns whether one is open. */
  #enterThought(tokens: Token[], structured: boolean): boolean {
    if (this.thought === undefined) return false;
    const { prefix, suffix, openOnResponseStart } = this.#wrapper.settings.segments?.thought ?? plainThought;
    const opened = isOpened(prefix);
    if (structured) {
      tokens.push(...this.#tokens(LlamaText([opened ? "" : prefix, suffix ?? plainThought.suffix, "\n\n"])));
      return false;
    }
    if (opened) return true;
    if (openOnResponseStart !== true) return false;
    tokens.push(...this.#tokens(LlamaText([prefix])));
    return true;
  }

  #thoughtMarkers(template: string): ChatTemplate["thought"] {
    const thought = this.#wrapper.settings.segments?.thought;
    if (thought?.suffix !== undefined) {
      const open = isOpened(thought.prefix) ? undefined : this.#text(thought.prefix).trim();
      return { open, close: this.#text(thought.suffix).trim() };
    }
    // The wrapper knows no thoughts, but the model's own template does.
    const { open, close } = plainThought;
    return template.includes(open) && template.includes(close) ? { open, close } : undefined;
  }

  #tokens(text: LlamaText): Token[] {
    return text.tokenize(this.#model.tokenizer, "trimLeadingSpace");
  }

  /** As it appears when generated tokens are turned into text with special tokens shown. */
  #text(piece: Piece): string {
    return this.#model.detokenize(this.#tokens(LlamaText(piece)), true);
  }
}

const plainThought = {
  open: "<think>",
  close: "</think>",
  prefix: LlamaText(new SpecialTokensText("<think>\n")),
  suffix: LlamaText(new SpecialTokensText("\n</think>")),
  openOnResponseStart: false,
} as const;

/** The template itself begins the answer with a thought. */
const isOpened = (prefix: Piece | { readonly type: string }): prefix is { readonly type: string } =>
  typeof prefix === "object" && !LlamaText.isLlamaText(prefix);

function functionsOf(tools: readonly Tool[]): Record<string, { description?: string; params?: never }> {
  return Object.fromEntries(
    tools.map(({ name, description, parameters }) => [
      name,
      {
        ...(description !== undefined && { description }),
        // The documentation generator takes JSON Schema as it is; its type covers only what it can enforce.
        ...(parameters !== undefined && { params: parameters as never }),
      },
    ]),
  );
}

const named = (piece: Piece, name: string): LlamaText =>
  LlamaText(piece).mapValues((value) =>
    typeof value === "string" ? value.replaceAll("{{functionName}}", name) : value,
  );
