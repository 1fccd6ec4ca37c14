import type { Message } from "@grammyjs/types";
import { z } from "zod";
import { badRequest } from "../api-error.ts";
import { chatForBot } from "../world/chats.ts";
import { type MessageContent, messageOf } from "../world/messages.ts";
import { type Method, method } from "./method.ts";
import { chatId, messageId, placement } from "./parameters.ts";
import { sendAs } from "./sending.ts";

const COPIED = [
  "text",
  "entities",
  "rich_message",
  "photo",
  "voice",
  "document",
  "audio",
  "video",
  "animation",
  "caption",
  "caption_entities",
  "link_preview_options",
] as const satisfies readonly (keyof Message)[];

const source = { from_chat_id: chatId, message_id: messageId };

const forwardMessage = method(z.object({ ...placement, ...source }), (context, parameters) => {
  const from = chatForBot(context.world, context.bot, parameters.from_chat_id, "read");
  const message = messageOf(from, parameters.message_id, "message to forward");
  const content = contentOf(message);
  if (!content) throw badRequest("message can't be forwarded");
  const origin = message.from && { type: "user" as const, sender_user: message.from, date: message.date };
  return sendAs(
    context,
    { ...parameters, reply_markup: undefined },
    { ...content, ...(origin && { forward_origin: origin }) },
  );
});

const copyMessage = method(z.object({ ...placement, ...source }), (context, parameters) => {
  const from = chatForBot(context.world, context.bot, parameters.from_chat_id, "read");
  const message = messageOf(from, parameters.message_id, "message to copy");
  const content = contentOf(message);
  if (!content) throw badRequest("message can't be copied");
  return { message_id: sendAs(context, parameters, content).message_id };
});

export const copyMethods: Readonly<Record<string, Method>> = { forwardMessage, copyMessage };

/** Undefined for service messages and invoices. */
function contentOf(message: Message): MessageContent | undefined {
  const parts = COPIED.filter((name) => message[name] !== undefined).map(
    (name) => [name, message[name]] as const,
  );
  return parts.length === 0 ? undefined : (Object.fromEntries(parts) as MessageContent);
}
