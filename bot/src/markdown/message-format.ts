import type { MessageEntity } from "grammy/types";
import type { Block } from "./block.ts";
import { formatText } from "./entities.ts";

/** How a message is formatted: tried in this order, because an old server or app may not know the first. */
export const formats = ["rich", "entities", "plain"] as const;
export type Format = (typeof formats)[number];

/** As `sendRichMessage` takes it. What Telegram would make tappable by itself stays text: only judged links are links. */
export function richMessage(blocks: readonly Block[]): { blocks: Block[]; skip_entity_detection: true } {
  return { blocks: [...blocks], skip_entity_detection: true };
}

/** As `sendMessage` takes it, with entities or without. */
export function classicMessage(
  blocks: readonly Block[],
  format: Exclude<Format, "rich">,
): { text: string; entities?: MessageEntity[] } {
  const { text, entities } = formatText(blocks);
  return format === "plain" || entities.length === 0 ? { text } : { text, entities };
}
