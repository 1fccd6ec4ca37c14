import type { Message, MessageEntity, ReplyParameters, TextQuote } from "@grammyjs/types";
import { badRequest, tooManyRequests } from "../api-error.ts";
import { botAsUser, chatForBot, isGroup } from "../world/chats.ts";
import { announceChat } from "../world/groups.ts";
import { findMessage, type MessageContent, postMessage } from "../world/messages.ts";
import type { ChatState } from "../world/state.ts";
import type { World } from "../world/world.ts";
import type { MethodContext } from "./method.ts";
import { readReplyKeyboard, readReplyMarkup } from "./reply-markup.ts";

export interface Destination {
  readonly chat_id: number | string;
  readonly message_thread_id?: number | undefined;
  readonly reply_parameters?: ReplyParameters | undefined;
  readonly reply_to_message_id?: number | undefined;
  readonly allow_sending_without_reply?: boolean | undefined;
  readonly reply_markup?: unknown;
}

/**
 * Sends a message of a bot: chat, topic, reply, buttons and flood limit are checked in this order, then it is shown.
 * @throws BotApiError
 */
export function sendAs(
  { world, bot }: MethodContext,
  to: Destination,
  content: MessageContent,
  { isInvoice = false } = {},
): Message {
  const chat = chatForBot(world, bot, to.chat_id);
  const threadId = readThread(chat, to.message_thread_id);
  const replyTo = readReply(chat, to);
  const quote = readQuote(replyTo, to.reply_parameters?.quote);
  const keyboard = readReplyMarkup(to.reply_markup, { isPrivate: !isGroup(chat), isInvoice });
  admitMessage({ world, bot }, chat);
  const message = postMessage(
    world,
    chat,
    botAsUser(bot),
    { ...content, ...(quote && { quote }), ...(keyboard && { reply_markup: keyboard as never }) },
    { threadId, replyTo },
  );
  showKeyboard(world, chat, message.message_id, to.reply_markup);
  return message;
}

/** Replaces the keyboard of the chat, or takes it away. It is nobody's message, so no message carries it. */
function showKeyboard(world: World, chat: ChatState, messageId: number, markup: unknown): void {
  const keyboard = readReplyKeyboard(markup);
  if (keyboard === undefined || (keyboard === null && chat.keyboard === undefined)) return;
  if (keyboard === null) delete chat.keyboard;
  else {
    const { pages, ...view } = keyboard;
    chat.keyboard = { view: { messageId, ...view }, pages };
  }
  announceChat(world, chat);
}

/** Counts a message or an edit. @throws BotApiError 429 */
export function admitMessage({ world, bot }: Pick<MethodContext, "world" | "bot">, chat: ChatState): void {
  const waitMs = world.flood?.message(
    bot.user.id,
    { key: chat.key, isGroup: isGroup(chat) },
    world.clock.now(),
  );
  if (waitMs) throw tooManyRequests(waitMs / 1_000);
}

/** @throws BotApiError 400 `message thread not found` */
export function readThread(chat: ChatState, threadId: number | undefined): number | undefined {
  if (threadId === undefined || threadId <= 0) return undefined;
  // A group without topics ignores it.
  if (isGroup(chat) && !chat.isForum) return undefined;
  const topic = chat.topics.find((one) => one.threadId === threadId);
  if (!topic) throw badRequest("message thread not found");
  if (topic.isClosed && isGroup(chat)) throw badRequest("TOPIC_CLOSED");
  return threadId;
}

function readReply(chat: ChatState, to: Destination): Message | undefined {
  const id = to.reply_parameters?.message_id ?? to.reply_to_message_id;
  if (id === undefined || id <= 0) return undefined;
  const message = findMessage(chat, id);
  if (message) return message;
  if (to.reply_parameters?.allow_sending_without_reply || to.allow_sending_without_reply) return undefined;
  throw badRequest("message to be replied not found");
}

/** A quote must stand in the message that is answered, word for word. */
function readQuote(replyTo: Message | undefined, quote: string | undefined): TextQuote | undefined {
  if (replyTo === undefined || !quote) return undefined;
  const position = (replyTo.text ?? replyTo.caption ?? "").indexOf(quote);
  if (position < 0) throw badRequest("QUOTE_TEXT_INVALID");
  return { text: quote, position };
}

/** Mentions of people whom this Telegram does not know become plain text; the others get the person's name. */
export function resolveMentions(
  { world }: Pick<MethodContext, "world">,
  entities: readonly MessageEntity[],
): MessageEntity[] {
  return entities.flatMap((entity): MessageEntity[] => {
    if (entity.type !== "text_mention") return [entity];
    const user = world.state.persons[entity.user.id]?.user;
    return user ? [{ ...entity, user }] : [];
  });
}

/** Whether an edit would change nothing, which Telegram refuses. */
export function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a ?? null) === JSON.stringify(b ?? null);
}
