import type { Api } from "grammy";
import type { InlineKeyboardMarkup } from "grammy/types";
import { classicMessage, richMessage } from "../markdown/message-format.ts";
import type { Outgoing } from "../store/outbox.ts";

/** No page is fetched because an answer names it. */
export const noPreview = { link_preview_options: { is_disabled: true } } as const;

/** Sends or edits one message in the format that it names. @returns its id. */
export async function sendMessage(api: Api, message: Outgoing): Promise<number> {
  const { chatId, threadId, edit, replyTo, buttons } = message;
  const keyboard: { reply_markup?: InlineKeyboardMarkup } =
    buttons === undefined ? {} : { reply_markup: { inline_keyboard: buttons } };
  if (edit !== undefined) {
    // Without buttons of its own, the Stop button of the placeholder goes.
    const at = { chat_id: chatId, message_id: edit, ...keyboard };
    await (message.format === "rich"
      ? api.raw.editMessageText({ ...at, rich_message: richMessage(message.blocks) })
      : api.raw.editMessageText({ ...at, ...classicMessage(message.blocks, message.format), ...noPreview }));
    return edit;
  }
  const to = {
    chat_id: chatId,
    ...(threadId !== 0 && { message_thread_id: threadId }),
    ...(replyTo !== undefined && {
      reply_parameters: { message_id: replyTo, allow_sending_without_reply: true },
    }),
    ...keyboard,
  };
  const sent =
    message.format === "rich"
      ? await api.raw.sendRichMessage({ ...to, rich_message: richMessage(message.blocks) })
      : await api.raw.sendMessage({ ...to, ...classicMessage(message.blocks, message.format), ...noPreview });
  return sent.message_id;
}
