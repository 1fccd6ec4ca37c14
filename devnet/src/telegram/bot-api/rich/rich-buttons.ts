import type { InlineKeyboardButton, Message, RichBlock, RichMessageButton, RichText } from "@grammyjs/types";
import { childBlocks, plainText, richTextsOf } from "./walk.ts";

/** Buttons inside a rich message: each row of a `buttons` block, and those in text, one to a row. */
export function richButtons(message: Message): readonly (readonly InlineKeyboardButton[])[] {
  return (message.rich_message?.blocks ?? []).flatMap(rowsOf).map((row) => row.map(asKeyboardButton));
}

export const richButtonsOf = (block: RichBlock): readonly RichMessageButton[] => rowsOf(block).flat();

function rowsOf(block: RichBlock): readonly (readonly RichMessageButton[])[] {
  const own = block.type === "buttons" ? [block.buttons] : [];
  const inText = richTextsOf(block)
    .flatMap(buttonsIn)
    .map((button) => [button]);
  return [...own, ...inText, ...childBlocks(block).flatMap(rowsOf)];
}

function buttonsIn(text: RichText): readonly RichMessageButton[] {
  if (typeof text === "string") return [];
  if (Array.isArray(text)) return text.flatMap(buttonsIn);
  if (text.type === "button") return [text.button];
  return "text" in text ? buttonsIn(text.text) : [];
}

const asKeyboardButton = (button: RichMessageButton): InlineKeyboardButton =>
  ({ ...button, text: plainText(button.text) }) as InlineKeyboardButton;
