import type { Turn } from "../store/turns.ts";
import type { ChatMessage } from "./answerer.ts";

/** Turns that are looked at; more never fit. */
export const mostTurns = 40;
/** What a message costs beside its words: role and separators of a chat template. */
const tokensPerMessage = 6;
/** A model's own tokenizer is not here; English has about 4 bytes to a token, Russian 5, code 3. */
const bytesPerToken = 3;

/** At least as many as any usual tokenizer would make of it. */
export const estimateTokens = (text: string): number =>
  Math.ceil(Buffer.byteLength(text, "utf8") / bytesPerToken) + tokensPerMessage;

export interface Composition {
  readonly systemPrompt?: string | undefined;
  /** Answered turns, newest first. */
  readonly earlier: readonly Turn[];
  readonly question: string;
  /** What the model can hold, prompt and answer together. */
  readonly contextTokens: number;
  readonly maxAnswerTokens: number;
}

/**
 * The conversation as it is sent: the newest turns that fit, whole, and always the question. The answer keeps at
 * least a third of the context, and at most what was asked for.
 */
export function compose({ systemPrompt, earlier, question, contextTokens, maxAnswerTokens }: Composition): {
  messages: ChatMessage[];
  maxTokens: number;
} {
  const maxTokens = Math.max(16, Math.min(maxAnswerTokens, Math.floor(contextTokens / 3)));
  const system: ChatMessage[] = systemPrompt ? [{ role: "system", content: systemPrompt }] : [];
  let room = contextTokens - maxTokens - estimateTokens(question);
  for (const { content } of system) room -= estimateTokens(content);
  const history: ChatMessage[] = [];
  for (const turn of earlier) {
    const answer = turn.answer ?? "";
    room -= estimateTokens(turn.question) + estimateTokens(answer);
    if (room < 0) break;
    history.unshift({ role: "user", content: turn.question }, { role: "assistant", content: answer });
  }
  return { messages: [...system, ...history, { role: "user", content: question }], maxTokens };
}
