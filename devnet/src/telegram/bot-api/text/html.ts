import type { MessageEntity } from "@grammyjs/types";
import { badRequest } from "../api-error.ts";
import { type FormattedText, sortEntities } from "./formatted-text.ts";
import { dateEntity, linkEntity } from "./links.ts";

const TAGS = new Set([
  "a",
  "b",
  "strong",
  "i",
  "em",
  "s",
  "strike",
  "del",
  "u",
  "ins",
  "tg-spoiler",
  "tg-emoji",
  "tg-time",
  "span",
  "pre",
  "code",
  "blockquote",
]);
const SIMPLE: Readonly<Record<string, "bold" | "italic" | "strikethrough" | "underline" | "spoiler">> = {
  b: "bold",
  strong: "bold",
  i: "italic",
  em: "italic",
  s: "strikethrough",
  strike: "strikethrough",
  del: "strikethrough",
  u: "underline",
  ins: "underline",
  span: "spoiler",
  "tg-spoiler": "spoiler",
};
/** The only named ones that the Bot API knows. */
const NAMED = new Map([
  ["lt", "<"],
  ["gt", ">"],
  ["amp", "&"],
  ["quot", '"'],
]);

interface OpenTag {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly offset: number;
}

/** A message entity, or `code` that still knows the language which a `pre` around it would take. */
type Draft = MessageEntity & { codeLanguage?: string };

/**
 * `parse_mode: "HTML"` as Telegram reads it: strict, with its own tags.
 * @see https://core.telegram.org/bots/api#html-style
 * @throws BotApiError 400 `can't parse entities: …` with the byte offset of the fault.
 */
export function parseHtml(source: string): FormattedText {
  const fail = (reason: string) => badRequest(`can't parse entities: ${reason}`);
  const at = (index: number) => Buffer.byteLength(source.slice(0, index));
  const open: OpenTag[] = [];
  const entities: Draft[] = [];
  let text = "";
  let i = 0;

  const startTag = (begin: number): void => {
    const nameEnd = search(source, /[\s>]/, begin + 1);
    if (nameEnd < 0) throw fail(`Unclosed start tag at byte offset ${at(begin)}`);
    const name = source.slice(begin + 1, nameEnd).toLowerCase();
    if (!TAGS.has(name)) throw fail(`Unsupported start tag "${name}" at byte offset ${at(begin)}`);
    const attributes = new Map<string, string>();
    i = nameEnd;
    for (;;) {
      i = skipSpace(source, i);
      if (source[i] === ">") break;
      if (i >= source.length) throw fail(`Unclosed start tag at byte offset ${at(begin)}`);
      const attribute = /^[^\s=>/"']+/.exec(source.slice(i))?.[0];
      if (attribute === undefined) {
        throw fail(`Empty attribute name in the tag "${name}" at byte offset ${at(begin)}`);
      }
      i = skipSpace(source, i + attribute.length);
      if (i >= source.length) throw fail(`Unclosed start tag "${name}" at byte offset ${at(begin)}`);
      attributes.set(attribute, source[i] === "=" ? attributeValue(begin, name) : "");
    }
    i += 1;
    if (name === "span" && attributes.get("class") !== "tg-spoiler") {
      throw fail(`Tag "span" must have class "tg-spoiler" at byte offset ${at(begin)}`);
    }
    open.push({ name, attributes, offset: text.length });
  };

  const attributeValue = (begin: number, name: string): string => {
    i = skipSpace(source, i + 1);
    if (i >= source.length) throw fail(`Unclosed start tag "${name}" at byte offset ${at(begin)}`);
    const quote = source[i];
    if (quote !== '"' && quote !== "'") {
      const token = /^[A-Za-z0-9.-]*/.exec(source.slice(i))?.[0] ?? "";
      const tokenBegin = i;
      i += token.length;
      if (i >= source.length) throw fail(`Unclosed start tag at byte offset ${at(begin)}`);
      if (!/[\s>]/.test(source[i] ?? "")) {
        throw fail(`Unexpected end of name token at byte offset ${at(tokenBegin)}`);
      }
      return token.toLowerCase();
    }
    const close = source.indexOf(quote, i + 1);
    if (close < 0 || close + 1 >= source.length) {
      throw fail(`Unclosed start tag at byte offset ${at(begin)}`);
    }
    const raw = source.slice(i + 1, close);
    i = close + 1;
    return raw.replace(/&[^;&\s]*;?/g, (reference) => decodeReference(reference)?.value ?? reference);
  };

  const endTag = (begin: number): void => {
    const tag = open.at(-1);
    if (tag === undefined) throw fail(`Unexpected end tag at byte offset ${at(begin)}`);
    const nameEnd = search(source, /[\s>]/, begin + 2);
    const name = source.slice(begin + 2, nameEnd < 0 ? source.length : nameEnd).toLowerCase();
    i = skipSpace(source, nameEnd < 0 ? source.length : nameEnd);
    if (source[i] !== ">") throw fail(`Unclosed end tag at byte offset ${at(begin)}`);
    i += 1;
    if (name !== "" && name !== tag.name) {
      throw fail(
        `Unmatched end tag at byte offset ${at(begin)}, expected "</${tag.name}>", found "</${name}>"`,
      );
    }
    if (text.length > tag.offset) close(tag);
    open.pop();
  };

  const close = ({ name, attributes, offset }: OpenTag): void => {
    const place = { offset, length: text.length - offset };
    const simple = SIMPLE[name];
    const last = entities.at(-1);
    const sameAsLast = last !== undefined && last.offset === offset && last.length === place.length;
    if (simple !== undefined) {
      entities.push({ type: simple, ...place });
    } else if (name === "a") {
      const entity = linkEntity(attributes.get("href") || text.slice(offset), place);
      if (entity) entities.push(entity);
    } else if (name === "pre") {
      if (sameAsLast && last.type === "code" && last.codeLanguage) {
        entities[entities.length - 1] = { type: "pre", language: last.codeLanguage, ...place };
      } else {
        entities.push({ type: "pre", ...place });
      }
    } else if (name === "code") {
      const language = /^language-(.+)$/.exec(attributes.get("class") ?? "")?.[1];
      if (sameAsLast && last.type === "pre" && language !== undefined) {
        entities[entities.length - 1] = { type: "pre", language, ...place };
      } else {
        entities.push({ type: "code", ...place, ...(language !== undefined && { codeLanguage: language }) });
      }
    } else if (name === "blockquote") {
      entities.push({
        type: attributes.has("expandable") ? "expandable_blockquote" : "blockquote",
        ...place,
      });
    } else if (name === "tg-time") {
      const entity = dateEntity({ unix: attributes.get("unix"), format: attributes.get("format") }, place);
      if (entity) entities.push(entity);
    } else if (name === "tg-emoji") {
      const id = attributes.get("emoji-id") ?? "";
      if (!/^[1-9]\d{0,18}$/.test(id)) throw badRequest("Invalid custom emoji identifier specified");
      entities.push({ type: "custom_emoji", custom_emoji_id: id, ...place });
    }
  };

  while (i < source.length) {
    const character = source.charAt(i);
    if (character === "<") {
      if (source[i + 1] === "/") endTag(i);
      else startTag(i);
      continue;
    }
    const reference = character === "&" ? decodeReference(source.slice(i, i + 12)) : undefined;
    text += reference?.value ?? character;
    i += reference?.length ?? 1;
  }
  const unclosed = open.at(-1);
  if (unclosed) throw fail(`Can't find end tag corresponding to start tag "${unclosed.name}"`);
  return {
    text,
    entities: sortEntities(entities.map(({ codeLanguage: _, ...entity }) => entity as MessageEntity)),
  };
}

function decodeReference(source: string): { readonly value: string; readonly length: number } | undefined {
  const match = /^&(?:#x([0-9a-fA-F]{1,6})|#(\d{1,7})|([a-z]+));?/.exec(source);
  if (!match) return undefined;
  const [whole, hexadecimal, decimal, name] = match;
  if (name !== undefined) {
    const value = NAMED.get(name);
    return value === undefined ? undefined : { value, length: whole.length };
  }
  const code = hexadecimal === undefined ? Number(decimal) : Number.parseInt(hexadecimal, 16);
  if (code === 0 || code >= 0x10ffff) return undefined;
  return { value: String.fromCodePoint(code), length: whole.length };
}

function search(text: string, pattern: RegExp, from: number): number {
  const index = text.slice(from).search(pattern);
  return index < 0 ? -1 : from + index;
}

function skipSpace(text: string, from: number): number {
  let index = from;
  while (index < text.length && /\s/.test(text.charAt(index))) index += 1;
  return index;
}
