/**
 * What an answer is made of, once its Markdown has been read: the part of Telegram's rich blocks that needs no
 * network and no trust. It goes over the wire as it is (`rich_message.blocks`), so nothing of the model's text is
 * ever parsed by Telegram, and there is no parse error to show. Limits: Bot API 10.3, "Rich Message Limits".
 */
export type Inline =
  | string
  | Inline[]
  | { type: "bold" | "italic" | "strikethrough" | "code"; text: Inline }
  | { type: "url"; text: string; url: string }
  | Formula;

/** LaTeX, which Telegram draws. */
export interface Formula {
  type: "mathematical_expression";
  expression: string;
}

export type Block =
  | { type: "paragraph"; text: Inline }
  | { type: "heading"; text: Inline; size: 1 | 2 | 3 | 4 | 5 | 6 }
  | { type: "pre"; text: string; language?: string }
  | { type: "divider" }
  | Formula
  | { type: "list"; items: ListItem[] }
  | { type: "blockquote"; blocks: Block[] }
  | { type: "table"; cells: TableCell[][]; is_bordered: true };

export interface ListItem {
  blocks: Block[];
  has_checkbox?: true;
  is_checked?: true;
  /** Of an ordered list: its number. */
  value?: number;
  type?: "1";
}

export interface TableCell {
  text: Inline;
  is_header?: true;
  align: "left" | "center" | "right";
  valign: "top";
}

/** Telegram takes 16 levels of blocks and formatting together. */
export const deepestBlock = 6;
export const deepestInline = 6;
/** Telegram takes 20 columns. */
export const widestTable = 20;

/** The words alone, without formatting. */
export function inlineText(inline: Inline): string {
  if (typeof inline === "string") return inline;
  if (Array.isArray(inline)) return inline.map(inlineText).join("");
  return inline.type === "mathematical_expression" ? inline.expression : inlineText(inline.text);
}

/** How many blocks Telegram counts: items and rows are blocks too. */
export function blockCount(block: Block): number {
  switch (block.type) {
    case "list":
      return 1 + sum(block.items.map((item) => 1 + sum(item.blocks.map(blockCount))));
    case "blockquote":
      return 1 + sum(block.blocks.map(blockCount));
    case "table":
      return 1 + block.cells.length;
    default:
      return 1;
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);
