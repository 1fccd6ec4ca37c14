import type { LlamaModel, Token } from "node-llama-cpp";

/** A character outside ASCII may need several tokens; more than these never do, then the bytes are broken. */
const maxTokensPerCharacter = 8;
/** Tokens before, from which the tokenizer decides about a leading space. */
const contextTokens = 8;

/** Turns tokens into text piece by piece, never cutting a character. */
export class TokenText {
  readonly #model: LlamaModel;
  #before: Token[];
  #pending: Token[] = [];

  constructor(model: LlamaModel, before: readonly Token[]) {
    this.#model = model;
    this.#before = before.slice(-contextTokens);
  }

  /** The text that `token` completes; empty while a character is still incomplete. */
  push(token: Token): string {
    this.#pending.push(token);
    const text = this.#model.detokenize(this.#pending, true, this.#before);
    if (text.endsWith("\uFFFD") && this.#pending.length < maxTokensPerCharacter) return "";
    this.#before = [...this.#before, ...this.#pending].slice(-contextTokens);
    this.#pending = [];
    return text;
  }

  /** Tokens whose text has not come out yet. */
  get pendingTokens(): number {
    return this.#pending.length;
  }
}
