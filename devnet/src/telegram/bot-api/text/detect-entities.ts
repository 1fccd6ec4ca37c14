import type { MessageEntity } from "@grammyjs/types";
import { sortEntities } from "./formatted-text.ts";
import { checkedLink } from "./links.ts";

type Detected = "url" | "email" | "mention" | "bot_command" | "hashtag" | "cashtag" | "phone_number";

/** In the order of precedence: a later kind leaves alone what an earlier one took. */
const PATTERNS: readonly (readonly [Detected, RegExp])[] = [
  ["email", /(?<![\w.+-])[\w.+-]{1,64}@(?:[a-z0-9-]{1,63}\.)+[a-z]{2,24}(?![\w-])/giu],
  [
    "url",
    /(?<![\w@./-])(?:(?:https?|ftp|tonsite|ton|tg):\/\/[^\s<>"'`]+|(?:[a-z0-9][a-z0-9-]{0,62}\.)+(?:com|org|net|io|me|ru|dev|app|ton|info|ai|co|gg|xyz|tech|cloud)(?:\/[^\s<>"'`]*)?(?![\w@]))/giu,
  ],
  ["mention", /(?<![\p{L}\p{N}_@/])@[a-z][a-z0-9_]{2,31}(?![\p{L}\p{N}_])/giu],
  ["bot_command", /(?<![\p{L}\p{N}_/<>])\/[a-z0-9_]{1,64}(?:@[a-z0-9_]{3,32})?(?![\p{L}\p{N}_/])/giu],
  ["hashtag", /(?<![\p{L}\p{N}_#])#(?=[\p{N}_]*\p{L})[\p{L}\p{N}_]{1,256}(?![\p{L}\p{N}_#])/gu],
  ["cashtag", /(?<![\p{L}\p{N}_$])\$(?:1INCH|[A-Z]{1,8})(?![\p{L}\p{N}_$])/gu],
  ["phone_number", /(?<![\p{L}\p{N}+])\+\d[\d\s()-]{8,18}\d(?!\p{N})/gu],
];

/** Inside these Telegram finds nothing of its own. */
const OPAQUE: ReadonlySet<string> = new Set(["pre", "code", "text_link", "text_mention", "custom_emoji"]);

/** Adds what Telegram finds in a text by itself: commands, mentions, links, addresses, tags. */
export function detectEntities(text: string, given: readonly MessageEntity[]): MessageEntity[] {
  const taken = given
    .filter(({ type }) => OPAQUE.has(type))
    .map(({ offset, length }) => ({ offset, length }));
  const found: MessageEntity[] = [];
  for (const [type, pattern] of PATTERNS) {
    for (const match of text.matchAll(pattern)) {
      const raw = type === "url" ? withoutTail(match[0]) : match[0];
      const place = { offset: match.index, length: raw.length };
      if (type === "url" && checkedLink(raw) === undefined) continue;
      const isTaken = [...taken, ...found].some(
        (other) => place.offset < other.offset + other.length && other.offset < place.offset + place.length,
      );
      // An explicit entity that crosses a found one would have to be cut; Telegram leaves the found one out.
      const crosses = given.some(
        (other) =>
          (other.offset < place.offset && inside(other.offset + other.length, place)) ||
          (inside(other.offset, place) && other.offset + other.length > place.offset + place.length),
      );
      if (!isTaken && !crosses) found.push({ type, ...place });
    }
  }
  return sortEntities([...given, ...found]);
}

const inside = (at: number, place: { offset: number; length: number }) =>
  at > place.offset && at < place.offset + place.length;

/** A sentence's punctuation is no part of a link. */
function withoutTail(url: string): string {
  const bare = url.replace(/[.,:;!?'")\]}…]+$/u, "");
  const tail = url.slice(bare.length);
  return tail.startsWith(")") && bare.split("(").length > bare.split(")").length ? `${bare})` : bare;
}
