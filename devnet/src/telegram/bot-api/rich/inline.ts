import type { RichText } from "@grammyjs/types";
import { checkedLink, dateEntity } from "../text/links.ts";

/** A piece of running text on its way to {@link RichText}. */
export type InlineToken =
  | { readonly kind: "text"; readonly text: RichText }
  | { readonly kind: "open"; readonly name: string; readonly literal: string; readonly wrap: Wrap }
  | { readonly kind: "close"; readonly name: string; readonly literal: string }
  /** Opens, or closes what it opened before: `==` and `||`. */
  | { readonly kind: "toggle"; readonly name: string; readonly literal: string; readonly wrap: Wrap };

export type Wrap = (text: RichText) => RichText;

interface Level {
  readonly name: string;
  readonly literal: string;
  readonly wrap: Wrap;
  readonly parts: RichText[];
}

/** Nests tokens; a mark without its partner stays as it was written, a tag without one is left out. */
export function foldInline(tokens: readonly InlineToken[]): RichText {
  const root: Level = { name: "", literal: "", wrap: (text) => text, parts: [] };
  const stack: Level[] = [root];
  const top = () => stack.at(-1) ?? root;
  const giveUp = (level: Level) => top().parts.push(level.literal, ...level.parts);
  const close = (name: string) => {
    while (top().name !== name) {
      const inner = stack.pop();
      if (inner) giveUp(inner);
    }
    const level = stack.pop();
    if (level) top().parts.push(level.wrap(joined(level.parts)));
  };
  for (const token of tokens) {
    const isOpen = token.kind !== "text" && stack.some(({ name }) => name === token.name);
    if (token.kind === "text") top().parts.push(token.text);
    else if (token.kind === "close" || (token.kind === "toggle" && isOpen)) {
      if (isOpen) close(token.name);
      else if (token.literal !== "") top().parts.push(token.literal);
    } else {
      stack.push({ name: token.name, literal: token.literal, wrap: token.wrap, parts: [] });
    }
  }
  while (stack.length > 1) {
    const inner = stack.pop();
    if (inner) giveUp(inner);
  }
  return joined(root.parts);
}

/** Neighbouring strings become one, and a list of one its element. */
export function joined(parts: readonly RichText[]): RichText {
  const flat: RichText[] = [];
  for (const part of parts.flat() as RichText[]) {
    const last = flat.at(-1);
    if (typeof part === "string" && typeof last === "string") flat[flat.length - 1] = last + part;
    else if (part !== "") flat.push(part);
  }
  const [only = ""] = flat;
  return flat.length <= 1 ? only : flat;
}

export const wrapAs =
  (
    type:
      | "bold"
      | "italic"
      | "underline"
      | "strikethrough"
      | "spoiler"
      | "subscript"
      | "superscript"
      | "marked"
      | "code",
  ): Wrap =>
  (text) => ({ type, text });

/** What inline HTML tags become, in HTML and inside Markdown. */
const TAGS = new Map<string, Wrap>(
  Object.entries({
    b: wrapAs("bold"),
    strong: wrapAs("bold"),
    i: wrapAs("italic"),
    em: wrapAs("italic"),
    u: wrapAs("underline"),
    ins: wrapAs("underline"),
    s: wrapAs("strikethrough"),
    strike: wrapAs("strikethrough"),
    del: wrapAs("strikethrough"),
    code: wrapAs("code"),
    mark: wrapAs("marked"),
    sub: wrapAs("subscript"),
    sup: wrapAs("superscript"),
    "tg-spoiler": wrapAs("spoiler"),
  }),
);

/** Undefined for a tag that formats nothing. */
export function tagWrap(name: string, attribute: (name: string) => string | undefined): Wrap | undefined {
  if (name === "a") {
    const href = attribute("href");
    const anchor = attribute("name");
    if (href === undefined)
      return anchor === undefined ? undefined : () => ({ type: "anchor", name: anchor });
    return (text) => link(href, text);
  }
  if (name === "tg-emoji") {
    const id = attribute("emoji-id");
    return id === undefined
      ? undefined
      : (text) => ({
          type: "custom_emoji",
          custom_emoji_id: id,
          alternative_text: typeof text === "string" ? text : "",
        });
  }
  if (name === "tg-time") {
    const place = { offset: 0, length: 0 };
    const entity = dateEntity({ unix: attribute("unix"), format: attribute("format") }, place);
    if (entity?.type !== "date_time") return undefined;
    const { unix_time, date_time_format } = entity;
    return (text) => ({ type: "date_time", text, unix_time, date_time_format });
  }
  if (name === "tg-math")
    return (text) => ({ type: "mathematical_expression", expression: typeof text === "string" ? text : "" });
  if (name === "tg-reference") {
    const reference = attribute("name");
    return reference === undefined ? undefined : (text) => ({ type: "reference", text, name: reference });
  }
  return TAGS.get(name);
}

/** A link by its scheme; plain text where Telegram would make none. */
export function link(url: string, text: RichText): RichText {
  if (url.startsWith("#")) return { type: "anchor_link", text, anchor_name: url.slice(1) };
  if (/^mailto:/i.test(url))
    return { type: "email_address", text, email_address: url.slice("mailto:".length) };
  if (/^tel:/i.test(url)) return { type: "phone_number", text, phone_number: url.slice("tel:".length) };
  const checked = checkedLink(url);
  return checked === undefined ? text : { type: "url", text, url: checked };
}
