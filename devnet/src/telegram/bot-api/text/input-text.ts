import type { MessageEntity } from "@grammyjs/types";
import { badRequest } from "../api-error.ts";
import { detectEntities } from "./detect-entities.ts";
import { type FormattedText, fixFormattedText } from "./formatted-text.ts";
import { parseHtml } from "./html.ts";
import { parseMarkdownV1 } from "./markdown-v1.ts";
import { parseMarkdownV2 } from "./markdown-v2.ts";

export interface InputText {
  readonly text: string;
  readonly parse_mode?: string | undefined;
  readonly entities?: readonly MessageEntity[] | undefined;
}

/** Bytes of UTF-8 before anything is parsed. */
const MAX_SOURCE_BYTES = 32_768;
/**
 * After entity parsing. Telegram's documentation says "characters"; this stand-in counts UTF-16 code units, which is the
 * strictest reading: what passes here passes there, also where Telegram counts a pair as one.
 */
export const MAX_TEXT_LENGTH = 4_096;
export const MAX_CAPTION_LENGTH = 1_024;

const PARSERS = new Map([
  ["html", parseHtml],
  ["markdownv2", parseMarkdownV2],
  ["markdown", parseMarkdownV1],
]);

/**
 * Parses and checks text as sendMessage does: markup or entities, limits, then what Telegram detects by itself.
 * @throws BotApiError 400 in Telegram's words.
 */
export function readText(
  input: InputText,
  limit: { readonly max: number; readonly tooLong: string },
): FormattedText {
  const { text, entities } = fixFormattedText(...parsed(input));
  if (text.length > limit.max) throw badRequest(limit.tooLong);
  return { text, entities: detectEntities(text, entities) };
}

function parsed({ text, parse_mode = "", entities = [] }: InputText): [string, readonly MessageEntity[]] {
  if (Buffer.byteLength(text) > MAX_SOURCE_BYTES) throw badRequest("text is too long");
  const mode = parse_mode.toLowerCase();
  if (text === "" || mode === "" || mode === "none") return [text, entities];
  const parse = PARSERS.get(mode);
  if (parse === undefined) throw badRequest("unsupported parse_mode");
  const result = parse(text);
  return [result.text, result.entities];
}
