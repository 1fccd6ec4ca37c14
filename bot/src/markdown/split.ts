import { type Block, blockCount, type Inline, inlineText } from "./block.ts";
import { formatText } from "./entities.ts";

/** What one message may hold. */
export interface MessageLimits {
  /** UTF-16 units; Telegram counts characters, which are never more. */
  readonly characters: number;
  readonly blocks: number;
}

/** `sendRichMessage`: 32,768 characters and 500 blocks; some room is left for how Telegram counts markers. */
export const richLimits: MessageLimits = { characters: 30_000, blocks: 450 };
/** `sendMessage`: 4,096 characters after formatting. */
export const textLimits: MessageLimits = { characters: 4_000, blocks: Number.POSITIVE_INFINITY };

/**
 * Cuts an answer into messages: between blocks where that is possible, else between lines of code, items, rows or
 * sentences, and only in a word that fills a whole message between two characters. Code stays code in every part.
 */
export function splitBlocks(blocks: readonly Block[], limits: MessageLimits): Block[][] {
  const messages: Block[][] = [];
  let message: Block[] = [];
  let room = limits;
  for (const block of blocks.flatMap((whole) => pieces(whole, limits))) {
    const characters = weight(block);
    const count = blockCount(block);
    if (message.length > 0 && (characters > room.characters || count > room.blocks)) {
      messages.push(message);
      message = [];
      room = limits;
    }
    message.push(block);
    room = { characters: room.characters - characters, blocks: room.blocks - count };
  }
  if (message.length > 0) messages.push(message);
  return messages;
}

/** Length as a classic message, with the gap to the next block: in rich form it is never longer. */
const weight = (block: Block): number => formatText([block]).text.length + 2;

const fits = (block: Block, limits: MessageLimits): boolean =>
  weight(block) <= limits.characters && blockCount(block) <= limits.blocks;

function pieces(block: Block, limits: MessageLimits): Block[] {
  if (fits(block, limits)) return [block];
  switch (block.type) {
    case "pre":
      return cutText(block.text, limits.characters - 2, ["\n"]).map((text) => ({ ...block, text }));
    case "paragraph":
    case "heading":
      return cutInline(block.text, limits.characters - 2).map((text) => ({ ...block, text }));
    case "blockquote":
      return splitBlocks(block.blocks, inner(limits)).map((blocks) => ({ ...block, blocks }));
    case "list": {
      // Every piece of an item becomes an item; packing them again would cost more than it gains.
      const items = block.items.flatMap((item) =>
        splitBlocks(item.blocks, inner(limits)).map((blocks) => ({ ...item, blocks })),
      );
      return packed(items, (some) => ({ ...block, items: some }), limits);
    }
    case "table": {
      const [head, ...rows] = block.cells;
      if (head === undefined) return [];
      const whole = packed(rows, (some) => ({ ...block, cells: [head, ...some] }), limits);
      const text = () => inlineText(block.cells.map((row) => [...row.map(({ text }) => [text, " "]), "\n"]));
      return whole.every((piece) => fits(piece, limits))
        ? whole
        : pieces({ type: "pre", text: text() }, limits);
    }
    case "mathematical_expression":
      // Half a formula is none: one that fills a message by itself is shown as it was written.
      return pieces({ type: "pre", text: block.expression, language: "latex" }, limits);
    case "divider":
      return [block];
  }
}

/** Margin for the marks of an item or a quote. */
const inner = ({ characters, blocks }: MessageLimits): MessageLimits => ({
  characters: Math.max(1, characters - 64),
  blocks: Math.max(1, blocks - 8),
});

function packed<Part>(parts: readonly Part[], made: (some: Part[]) => Block, limits: MessageLimits): Block[] {
  const blocks: Block[] = [];
  let some: Part[] = [];
  let size = 0;
  for (const part of parts) {
    const alone = weight(made([part]));
    if (
      some.length > 0 &&
      (size + alone > limits.characters || blockCount(made([...some, part])) > limits.blocks)
    ) {
      blocks.push(made(some));
      some = [];
      size = 0;
    }
    some.push(part);
    size += alone;
  }
  if (some.length > 0) blocks.push(made(some));
  return blocks;
}

function cutInline(inline: Inline, longest: number): Inline[] {
  const parts: Inline[] = [];
  let rest: Inline = inline;
  for (let text = inlineText(rest); text.length > longest; text = inlineText(rest)) {
    const at = cutAt(text, longest, ["\n", ". ", " "]);
    parts.push(sliceInline(rest, 0, at));
    rest = sliceInline(rest, at, text.length);
  }
  if (inlineText(rest).trim() !== "") parts.push(rest);
  return parts;
}

/** The part of formatted text between two offsets of its words; an address is kept whole or left out of both. */
function sliceInline(inline: Inline, from: number, to: number): Inline {
  if (typeof inline === "string") return inline.slice(Math.max(0, from), Math.max(0, to));
  if (Array.isArray(inline)) {
    let offset = 0;
    const parts: Inline[] = [];
    for (const part of inline) {
      const length = inlineText(part).length;
      if (offset < to && offset + length > from) parts.push(sliceInline(part, from - offset, to - offset));
      offset += length;
    }
    return parts;
  }
  if (inline.type === "url") {
    const whole = from <= 0 && to >= inline.text.length;
    return whole ? inline : inline.text.slice(Math.max(0, from), Math.max(0, to));
  }
  if (inline.type === "mathematical_expression") {
    const { expression } = inline;
    const whole = from <= 0 && to >= expression.length;
    return whole ? inline : { type: "code", text: expression.slice(Math.max(0, from), Math.max(0, to)) };
  }
  return { ...inline, text: sliceInline(inline.text, from, to) };
}

function cutText(text: string, longest: number, borders: readonly string[]): string[] {
  const parts: string[] = [];
  let rest = text;
  while (rest.length > longest) {
    const at = cutAt(rest, longest, borders);
    parts.push(rest.slice(0, at).replace(/\n$/, ""));
    rest = rest.slice(at);
  }
  if (rest !== "") parts.push(rest);
  // A piece of blank lines alone would be refused as empty.
  return parts.filter((part) => part.trim() !== "");
}

/** Where to cut: behind the last border in the second half, else between two whole characters. */
function cutAt(text: string, longest: number, borders: readonly string[]): number {
  const head = text.slice(0, longest);
  for (const border of borders) {
    const at = head.lastIndexOf(border);
    if (at >= longest / 2) return at + border.length;
  }
  const before = new Intl.Segmenter().segment(text).containing(longest)?.index ?? longest;
  // One character of joined parts may fill the message by itself; then it is cut between code points.
  if (before > 0) return before;
  return (text.codePointAt(longest - 1) ?? 0) > 0xffff ? longest - 1 : longest;
}
