import type { MessageEntity } from "@grammyjs/types";
import { badRequest } from "../api-error.ts";
import type { FormattedText } from "./formatted-text.ts";
import { linkEntity } from "./links.ts";

/**
 * The legacy `parse_mode: "Markdown"`: no nesting, and an unclosed mark is an error.
 * @see https://core.telegram.org/bots/api#markdown-style
 */
export function parseMarkdownV1(source: string): FormattedText {
  const entities: MessageEntity[] = [];
  let text = "";
  let i = 0;
  while (i < source.length) {
    const character = source.charAt(i);
    if (character === "\\" && "_*`[".includes(source.charAt(i + 1)) && i + 1 < source.length) {
      text += source.charAt(i + 1);
      i += 2;
      continue;
    }
    if (!"_*`[".includes(character)) {
      text += character;
      i += 1;
      continue;
    }
    const begin = i;
    const fence = source.startsWith("```", i);
    const language = fence ? (/^```([^\s`]+)(?=\s)/.exec(source.slice(i))?.[1] ?? "") : "";
    const mark = fence ? "```" : character === "[" ? "]" : character;
    let from = i + (fence ? 3 + language.length : 1);
    if (fence) from += /^(\r\n|\n)?/.exec(source.slice(from))?.[0].length ?? 0;
    const to = source.indexOf(mark, from);
    if (to < 0) {
      const offset = Buffer.byteLength(source.slice(0, begin));
      throw badRequest(
        `can't parse entities: Can't find end of the entity starting at byte offset ${offset}`,
      );
    }
    const inner = source.slice(from, to);
    const place = { offset: text.length, length: inner.length };
    i = to + mark.length;
    let entity: MessageEntity | undefined;
    if (character === "[") {
      const target = /^\(([^)]*)\)/.exec(source.slice(i));
      if (target) i += target[0].length;
      entity = linkEntity(target?.[1] ?? inner, place);
    } else if (fence) entity = { type: "pre", ...place, ...(language !== "" && { language }) };
    else entity = { type: character === "*" ? "bold" : character === "_" ? "italic" : "code", ...place };
    if (entity && inner.length > 0) entities.push(entity);
    text += inner;
  }
  return { text, entities };
}
