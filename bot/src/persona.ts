import type { Language } from "./texts/texts.ts";

/**
 * Who answers: the first message of every conversation. Empty leaves the model as it is. This is the first file that
 * a fork changes; `npm run dev` shows the change in the next conversation.
 */
export const systemPrompt: Readonly<Record<Language, string>> = { en: "", ru: "" };
