import type { InlineKeyboardMarkup } from "grammy/types";
import type { BotContext } from "../context.ts";
import { formatText } from "../markdown/entities.ts";
import { readMarkdown } from "../markdown/read-markdown.ts";

/** Writes one of the bot's own texts, Markdown, to where the update came from. */
export async function say(
  ctx: BotContext,
  markdown: string,
  options: { reply_markup?: InlineKeyboardMarkup } = {},
): Promise<void> {
  const { text, entities } = formatText(readMarkdown(markdown));
  const { chatId, threadId } = ctx.place;
  await ctx.api.sendMessage(chatId, text, {
    ...(entities.length > 0 && { entities }),
    ...(threadId !== 0 && { message_thread_id: threadId }),
    ...(chatId < 0 &&
      ctx.msgId !== undefined && {
        reply_parameters: { message_id: ctx.msgId, allow_sending_without_reply: true },
      }),
    ...options,
  });
}

/** Somebody else's words inside a text of ours: shown as they are. */
export const asWritten = (words: string): string => words.replace(/[\\`*_{}[\]()#+\-.!|<>~&:@/]/g, "\\$&");
