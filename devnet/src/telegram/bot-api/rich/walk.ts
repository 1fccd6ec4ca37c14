import type { RichBlock, RichText } from "@grammyjs/types";

/** The text of a block that stands in it directly: not that of blocks inside. */
export function richTextsOf(block: RichBlock): readonly RichText[] {
  const texts: (RichText | undefined)[] = [];
  if ("text" in block) texts.push(block.text);
  if ("summary" in block) texts.push(block.summary);
  if ("credit" in block) texts.push(block.credit);
  if (block.type === "table") {
    texts.push(block.caption, ...block.cells.flat().map((cell) => cell.text));
  } else if ("caption" in block && block.caption) {
    texts.push(block.caption.text, block.caption.credit);
  }
  if (block.type === "buttons") texts.push(...block.buttons.map((button) => button.text));
  return texts.filter((text) => text !== undefined);
}

/** Blocks directly inside a block. */
export function childBlocks(block: RichBlock): readonly RichBlock[] {
  if (block.type === "list") return block.items.flatMap((item) => item.blocks);
  return "blocks" in block ? block.blocks : [];
}

/** What is read: without formatting, with formulas and alternative text as they were written. */
export function plainText(text: RichText): string {
  if (typeof text === "string") return text;
  if (Array.isArray(text)) return text.map(plainText).join("");
  switch (text.type) {
    case "custom_emoji":
      return text.alternative_text;
    case "mathematical_expression":
      return text.expression;
    case "button":
      return plainText(text.button.text);
    case "anchor":
      return "";
    default:
      return plainText(text.text);
  }
}
