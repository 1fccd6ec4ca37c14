import type { MessageEntity } from "@grammyjs/types";
import { badRequest } from "../api-error.ts";

/** Text and its entities; offsets and lengths count UTF-16 code units, as JavaScript strings do. */
export interface FormattedText {
  readonly text: string;
  readonly entities: readonly MessageEntity[];
}

/** Entities that Telegram cuts where they cross another one; all others are dropped there. */
const SPLITTABLE: ReadonlySet<string> = new Set(["bold", "italic", "underline", "strikethrough", "spoiler"]);
/** Nothing may lie inside these. */
const VERBATIM: ReadonlySet<string> = new Set(["code", "pre"]);
/** Outer to inner, where two entities share a place. */
const ORDER = [
  "expandable_blockquote",
  "blockquote",
  "text_link",
  "text_mention",
  "custom_emoji",
  "date_time",
  "pre",
  "code",
  "bold",
  "italic",
  "underline",
  "strikethrough",
  "spoiler",
];
const MAX_ENTITIES = 100;

const order = (entity: MessageEntity) => (ORDER.indexOf(entity.type) + ORDER.length + 1) % (ORDER.length + 1);
const end = (entity: MessageEntity) => entity.offset + entity.length;

export function sortEntities<E extends MessageEntity>(entities: readonly E[]): E[] {
  return [...entities].sort((a, b) => a.offset - b.offset || b.length - a.length || order(a) - order(b));
}

/**
 * What Telegram makes of text and entities before it stores them: control characters become spaces, `\r` and line
 * separators go, ends are trimmed, crossing entities are cut or dropped, and entities follow.
 * @throws BotApiError 400 for an entity outside the text or through a surrogate pair.
 */
export function fixFormattedText(text: string, entities: readonly MessageEntity[]): FormattedText {
  const sorted = sortEntities(entities.filter((entity) => entity.length > 0));
  for (const entity of sorted) checkPlace(text, entity);
  const cleaned = clean(text, sorted);
  return trim(cleaned.text, nest(cleaned.entities));
}

const isLow = (code: number) => code >= 0xdc00 && code <= 0xdfff;
const isHigh = (code: number) => code >= 0xd800 && code <= 0xdbff;
const splitsPair = (text: string, at: number) =>
  at > 0 && isLow(text.charCodeAt(at)) && isHigh(text.charCodeAt(at - 1));
const byteOffset = (text: string, at: number) => Buffer.byteLength(text.slice(0, at));

function checkPlace(text: string, entity: MessageEntity): void {
  const { offset, length } = entity;
  if (!Number.isInteger(offset) || offset < 0 || offset > 1_000_000) {
    throw badRequest(`Receive an entity with incorrect offset ${offset}`);
  }
  if (!Number.isInteger(length) || length > 1_000_000) {
    throw badRequest(`Receive an entity with incorrect length ${length}`);
  }
  if (offset >= text.length) {
    throw badRequest(`Entity begins after the end of the text at UTF-16 offset ${offset}`);
  }
  if (splitsPair(text, offset)) {
    throw badRequest(
      `Entity begins in a middle of a UTF-16 symbol at byte offset ${byteOffset(text, offset + 1)}`,
    );
  }
  if (end(entity) > text.length) {
    throw badRequest(
      `Entity beginning at UTF-16 offset ${offset} ends after the end of the text at UTF-16 offset ${end(entity)}`,
    );
  }
  if (splitsPair(text, end(entity))) {
    throw badRequest(
      `Entity beginning at UTF-16 offset ${offset} ends in a middle of a UTF-16 symbol at byte offset ${byteOffset(text, end(entity) + 1)}`,
    );
  }
}

/** Line and paragraph separators, directional embeddings, and vertical lines that would break a chat's layout. */
const REMOVED = /[\r\u2028-\u202e]|\u0333|\u033f|\u030a/;

function clean(text: string, entities: readonly MessageEntity[]): FormattedText {
  let out = "";
  const newOffsets: number[] = [];
  for (const unit of text.split("")) {
    newOffsets.push(out.length);
    if (REMOVED.test(unit)) continue;
    const code = unit.charCodeAt(0);
    out += code < 32 && unit !== "\n" ? " " : unit;
  }
  newOffsets.push(out.length);
  const moved = entities.map((entity) => {
    const from = newOffsets[entity.offset] ?? out.length;
    return { ...entity, offset: from, length: (newOffsets[end(entity)] ?? out.length) - from };
  });
  // A lone surrogate has no UTF-8: what Telegram's server would refuse arrives there as U+FFFD.
  return { text: out.toWellFormed(), entities: moved.filter((entity) => entity.length > 0) };
}

function nest(entities: readonly MessageEntity[]): MessageEntity[] {
  const kept: MessageEntity[] = [];
  for (const entity of sortEntities(entities.filter(({ type }) => !SPLITTABLE.has(type)))) {
    const clashes = kept.some(
      (other) =>
        (VERBATIM.has(other.type) && entity.offset < end(other)) ||
        (entity.offset < end(other) && end(entity) > end(other)) ||
        (entity.offset === other.offset && entity.length === other.length && entity.type === other.type),
    );
    if (!clashes) kept.push(entity);
  }
  for (const type of ORDER.filter((name) => SPLITTABLE.has(name))) {
    const cuts = kept.flatMap((other) => [other.offset, end(other)]);
    for (const span of union(entities.filter((entity) => entity.type === type))) {
      for (const piece of cutWherePartial(span, kept, cuts)) {
        const isInsideVerbatim = kept.some(
          (other) => VERBATIM.has(other.type) && piece.offset >= other.offset && end(piece) <= end(other),
        );
        if (!isInsideVerbatim) kept.push(piece);
      }
    }
  }
  return sortEntities(kept).slice(0, MAX_ENTITIES);
}

function union(entities: readonly MessageEntity[]): MessageEntity[] {
  const spans: MessageEntity[] = [];
  for (const entity of sortEntities(entities)) {
    const last = spans.at(-1);
    if (last && entity.offset <= end(last)) {
      spans[spans.length - 1] = { ...last, length: Math.max(end(last), end(entity)) - last.offset };
    } else {
      spans.push(entity);
    }
  }
  return spans;
}

function cutWherePartial(
  span: MessageEntity,
  others: readonly MessageEntity[],
  places: readonly number[],
): MessageEntity[] {
  const crossed = places.filter(
    (place) =>
      place > span.offset &&
      place < end(span) &&
      others.some(
        (other) =>
          (other.offset === place || end(other) === place) &&
          (VERBATIM.has(other.type) || other.offset < span.offset || end(other) > end(span)),
      ),
  );
  const edges = [...new Set([span.offset, ...crossed, end(span)])].sort((a, b) => a - b);
  return edges
    .slice(0, -1)
    .map((from, index) => ({ ...span, offset: from, length: (edges[index + 1] ?? from) - from }));
}

function trim(text: string, entities: readonly MessageEntity[]): FormattedText {
  const body = text.replace(/[ \n\u00a0\u2000-\u200f\ufeff\u3000]+$/u, "");
  const inBody = entities
    .filter((entity) => entity.offset < body.length)
    .map((entity) => ({ ...entity, length: Math.min(entity.length, body.length - entity.offset) }));
  const firstEntity = inBody[0]?.offset ?? body.length;
  let start = 0;
  while (start < firstEntity && (body[start] === " " || body[start] === "\n")) start += 1;
  return {
    text: body.slice(start),
    entities: inBody.map((entity) => ({ ...entity, offset: entity.offset - start })),
  };
}
