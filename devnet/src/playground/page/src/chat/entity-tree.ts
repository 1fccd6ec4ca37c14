import type { MessageEntity } from "@grammyjs/types";

/** A stretch of text, or an entity with what is inside it. */
export type Piece =
  | string
  | { readonly entity: MessageEntity; readonly text: string; readonly inside: readonly Piece[] };

/** Text and its entities (UTF-16 offsets) as a tree; entities that cross each other are cut at the border. */
export function entityTree(text: string, entities: readonly MessageEntity[] = []): Piece[] {
  const sorted = [...entities].sort((a, b) => a.offset - b.offset || b.length - a.length);
  return between(text, 0, text.length, sorted);
}

function between(text: string, start: number, end: number, entities: readonly MessageEntity[]): Piece[] {
  const pieces: Piece[] = [];
  let at = start;
  let rest = entities;
  while (rest.length > 0) {
    const [entity, ...others] = rest;
    if (!entity) break;
    const from = Math.max(entity.offset, at);
    const to = Math.min(entity.offset + entity.length, end);
    const inner = others.filter((one) => one.offset < to);
    rest = others.filter((one) => one.offset >= to);
    if (from >= to) continue;
    if (from > at) pieces.push(text.slice(at, from));
    pieces.push({ entity, text: text.slice(from, to), inside: between(text, from, to, inner) });
    at = to;
  }
  if (at < end) pieces.push(text.slice(at, end));
  return pieces;
}
