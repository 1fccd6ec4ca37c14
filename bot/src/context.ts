import type { Context } from "grammy";
import type { Place } from "./store/turns.ts";
import type { Language, Translate } from "./texts/texts.ts";

/** What every handler has at hand beside grammY's own. */
export type BotContext = Context & {
  /** The chat, or the topic of it, in which this happens. */
  place: Place;
  language: Language;
  /** The bot's texts in this person's language. */
  t: Translate;
};
