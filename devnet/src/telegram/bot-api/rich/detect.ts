import type { RichBlock, RichText } from "@grammyjs/types";
import { detectEntities } from "../text/detect-entities.ts";
import { checkedLink } from "../text/links.ts";
import { joined } from "./inline.ts";

/** Inside these nothing is looked for. */
const OPAQUE: ReadonlySet<string> = new Set([
  "code",
  "url",
  "email_address",
  "phone_number",
  "anchor_link",
  "reference_link",
  "button",
  "text_mention",
]);

/** Makes links, mentions, commands and the like of what stands in plain text. */
export function detectInBlocks(blocks: readonly RichBlock[]): RichBlock[] {
  return blocks.map(detectInBlock);
}

function detectInBlock(block: RichBlock): RichBlock {
  switch (block.type) {
    case "pre":
    case "mathematical_expression":
    case "thinking":
      return block;
    case "list":
      return {
        ...block,
        items: block.items.map((item) => ({ ...item, blocks: detectInBlocks(item.blocks) })),
      };
    case "table":
      return {
        ...block,
        cells: block.cells.map((row) =>
          row.map((cell) => (cell.text === undefined ? cell : { ...cell, text: detectInText(cell.text) })),
        ),
      };
    case "details":
      return { ...block, summary: detectInText(block.summary), blocks: detectInBlocks(block.blocks) };
    case "blockquote":
      return { ...block, blocks: detectInBlocks(block.blocks) };
    default:
      return "text" in block ? ({ ...block, text: detectInText(block.text) } as RichBlock) : block;
  }
}

function detectInText(text: RichText): RichText {
  if (typeof text === "string") return detectInString(text);
  if (Array.isArray(text)) return joined(text.map(detectInText));
  if (OPAQUE.has(text.type) || !("text" in text)) return text;
  return { ...text, text: detectInText(text.text) } as RichText;
}

function detectInString(source: string): RichText {
  const parts: RichText[] = [];
  let at = 0;
  for (const { type, offset, length } of detectEntities(source, [])) {
    const text = source.slice(offset, offset + length);
    parts.push(source.slice(at, offset), found(type, text));
    at = offset + length;
  }
  return joined([...parts, source.slice(at)]);
}

function found(type: string, text: string): RichText {
  switch (type) {
    case "url":
      return { type: "url", text, url: checkedLink(text) ?? text };
    case "email":
      return { type: "email_address", text, email_address: text };
    case "mention":
      return { type: "mention", text, username: text.slice(1) };
    case "bot_command":
      return { type: "bot_command", text, bot_command: text };
    case "hashtag":
      return { type: "hashtag", text, hashtag: text.slice(1) };
    case "cashtag":
      return { type: "cashtag", text, cashtag: text.slice(1) };
    case "phone_number":
      return { type: "phone_number", text, phone_number: text };
    default:
      return text;
  }
}
