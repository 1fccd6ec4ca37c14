import type { RichBlock, RichText } from "@grammyjs/types";
import { badRequest } from "../api-error.ts";
import { childBlocks, plainText, richTextsOf } from "./walk.ts";

/**
 * Limits of a rich message. The numbers are Telegram's; it does not publish the wording of most refusals, so what follows
 * "Bad Request: " is this stand-in's own but for "message is too long".
 * @see https://core.telegram.org/bots/api#rich-message-limits
 */
export const RICH_LIMITS = {
  /** Unicode code points of all text, formulas and alternative text. */
  characters: 32_768,
  /** With nested ones, list items and table rows. */
  blocks: 500,
  /** Of formatting and blocks inside each other. */
  levels: 16,
  columns: 20,
  media: 50,
} as const;

const MEDIA: ReadonlySet<string> = new Set([
  "photo",
  "video",
  "audio",
  "document",
  "animation",
  "voice_note",
]);

/** @throws BotApiError 400 */
export function checkRichLimits(blocks: readonly RichBlock[]): void {
  const all = blocks.flatMap(withDescendants);
  const characters = all.reduce((sum, block) => sum + charactersOf(block), 0);
  if (characters > RICH_LIMITS.characters) throw badRequest("message is too long");
  const count = all.reduce((sum, block) => sum + 1 + partsOf(block), 0);
  if (count > RICH_LIMITS.blocks) throw refuse("blocks", count);
  const levels = Math.max(0, ...blocks.map(levelsOf));
  if (levels > RICH_LIMITS.levels) throw refuse("levels", levels);
  const columns = Math.max(0, ...all.map(columnsOf));
  if (columns > RICH_LIMITS.columns) throw refuse("columns", columns);
  const media = all.filter(({ type }) => MEDIA.has(type)).length;
  if (media > RICH_LIMITS.media) throw refuse("media", media);
}

const refuse = (what: keyof typeof RICH_LIMITS, count: number) =>
  badRequest(`rich message has ${count} ${what}; at most ${RICH_LIMITS[what]} are allowed`);

const withDescendants = (block: RichBlock): RichBlock[] => [
  block,
  ...childBlocks(block).flatMap(withDescendants),
];

function charactersOf(block: RichBlock): number {
  const formula = block.type === "mathematical_expression" ? block.expression : "";
  return [...richTextsOf(block).map(plainText), formula].reduce((sum, text) => sum + [...text].length, 0);
}

function partsOf(block: RichBlock): number {
  if (block.type === "list") return block.items.length;
  return block.type === "table" ? block.cells.length : 0;
}

function columnsOf(block: RichBlock): number {
  if (block.type !== "table") return 0;
  return Math.max(0, ...block.cells.map((row) => row.reduce((sum, cell) => sum + (cell.colspan ?? 1), 0)));
}

function levelsOf(block: RichBlock): number {
  const inner = [...childBlocks(block).map(levelsOf), ...richTextsOf(block).map(textLevels)];
  // An item is a level between its list and what is in it.
  return 1 + (block.type === "list" ? 1 : 0) + Math.max(0, ...inner);
}

function textLevels(text: RichText): number {
  if (typeof text === "string") return 0;
  if (Array.isArray(text)) return Math.max(0, ...text.map(textLevels));
  return 1 + ("text" in text ? textLevels(text.text) : 0);
}
