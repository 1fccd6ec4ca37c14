import type { Failure } from "../network/failure.ts";

/** One message of a conversation. */
export interface Turn {
  readonly id: string;
  readonly role: "user" | "assistant";
  readonly text: string;
  /**
   * `open`: the answer still comes; `stopped`: the person ended it; `cut`: it ended without being whole, and
   * `failure` says why; `length`: the model reached its limit.
   */
  readonly state: "open" | "done" | "stopped" | "cut" | "length";
  readonly failure?: Failure;
  /** How often another verified node took over in the middle. */
  readonly moves?: number;
  /** Who answered, as the request named it. */
  readonly model?: string;
}

/** What a list of conversations shows. */
export interface Head {
  readonly id: string;
  readonly title: string;
  /** ms since epoch. */
  readonly changedAt: number;
}

export interface Conversation extends Head {
  readonly turns: readonly Turn[];
}

/** Rough, and on the safe side for Latin and Cyrillic alike. */
const charactersPerToken = 3;
/** The rest of the context is for the answer. */
const promptShare = 0.6;
const titleCharacters = 48;

/**
 * The turns that the model reads: the newest that fit its context, beginning with a question. What a failure
 * left without a word is left out.
 */
export function promptOf(
  turns: readonly Turn[],
  contextTokens: number,
): readonly { readonly role: Turn["role"]; readonly content: string }[] {
  const budget = contextTokens * promptShare * charactersPerToken;
  const said = turns.filter(({ text }) => text !== "");
  let used = 0;
  let first = said.length;
  while (first > 0) {
    used += (said[first - 1]?.text.length ?? 0) + charactersPerToken * 4;
    if (used > budget && first < said.length) break;
    first--;
  }
  while (said[first]?.role === "assistant") first++;
  return said.slice(first).map(({ role, text }) => ({ role, content: text }));
}

/** The beginning of a question, cut between words and never inside a character. */
export function titleOf(question: string): string {
  const line = question.trim().replace(/\s+/g, " ");
  const characters = [...line];
  if (characters.length <= titleCharacters) return line;
  const cut = characters.slice(0, titleCharacters).join("");
  const space = cut.lastIndexOf(" ");
  return `${space > titleCharacters / 2 ? cut.slice(0, space) : cut}…`;
}

/** An answer that was open when the page went away came to no end. */
export const reopened = (turns: readonly Turn[]): readonly Turn[] =>
  turns.map((turn) =>
    turn.state === "open" ? { ...turn, state: "cut", failure: { code: "CLOSED" } } : turn,
  );
