import type { Message, User } from "@grammyjs/types";
import { badRequest } from "../api-error.ts";
import { setAction } from "./actions.ts";
import { botsIn, chatObject } from "./chats.ts";
import { endDrafts } from "./drafts.ts";
import type { BotState, ChatState } from "./state.ts";
import { queueUpdate } from "./updates.ts";
import { emit, unixTime, type World } from "./world.ts";

/** Older ones are forgotten: no chat that a person would scroll is longer. */
const MAX_MESSAGES = 5_000;

/** What a message says, without who, where and when. */
export type MessageContent = Partial<Omit<Message, "message_id" | "date" | "chat" | "from">>;

export interface Placement {
  readonly threadId?: number | undefined;
  readonly replyTo?: Message | undefined;
}

/** Adds a message to a chat, shows it, and tells the bots that may hear it. */
export function postMessage(
  world: World,
  chat: ChatState,
  from: User,
  content: MessageContent,
  { threadId, replyTo }: Placement = {},
): Message {
  const { reply_to_message: _, ...quoted } = replyTo ?? ({} as Message);
  const message = {
    message_id: chat.nextMessageId,
    from,
    chat: chatObject(world, chat),
    date: unixTime(world),
    ...(threadId !== undefined && { message_thread_id: threadId, is_topic_message: true }),
    ...(replyTo && { reply_to_message: quoted }),
    ...content,
  } as Message;
  chat.nextMessageId += 1;
  chat.messages.push(message);
  if (chat.messages.length > MAX_MESSAGES) chat.messages.splice(0, chat.messages.length - MAX_MESSAGES);
  world.changed();
  if (from.is_bot) {
    setAction(world, chat, null);
    endDrafts(world, chat, threadId, "message");
  }
  emit(world, { type: "message", chat: chat.key, message });
  if (!from.is_bot) {
    for (const bot of botsIn(world, chat)) {
      if (hears(bot, chat, message)) queueUpdate(world, bot, { message: message as never });
    }
  }
  return message;
}

/** Puts a new version of a message in the place of the old one. */
export function replaceMessage(world: World, chat: ChatState, message: Message): Message {
  const index = chat.messages.findIndex(({ message_id }) => message_id === message.message_id);
  chat.messages[index] = message;
  world.changed();
  emit(world, { type: "message_edited", chat: chat.key, message });
  if (!message.from?.is_bot) {
    for (const bot of botsIn(world, chat)) {
      if (hears(bot, chat, message)) queueUpdate(world, bot, { edited_message: message as never });
    }
  }
  return message;
}

export function deleteMessages(world: World, chat: ChatState, ids: readonly number[]): void {
  const gone = chat.messages.filter(({ message_id }) => ids.includes(message_id));
  if (gone.length === 0) return;
  for (const message of gone) {
    chat.messages.splice(chat.messages.indexOf(message), 1);
    delete chat.reactions[message.message_id];
  }
  world.changed();
  emit(world, {
    type: "messages_deleted",
    chat: chat.key,
    messageIds: gone.map((message) => message.message_id),
  });
}

export function findMessage(chat: ChatState, messageId: number): Message | undefined {
  return chat.messages.find(({ message_id }) => message_id === messageId);
}

/** @throws BotApiError 400 `<what> not found` */
export function messageOf(chat: ChatState, messageId: number, what: string): Message {
  const message = findMessage(chat, messageId);
  if (!message) throw badRequest(`${what} not found`);
  return message;
}

/**
 * Group privacy: a bot that may not read everything hears commands, mentions of itself, replies to itself and service
 * messages. A command without a name is for the bot that spoke last, or for the only one.
 * @see https://core.telegram.org/bots/features#privacy-mode
 */
function hears(bot: BotState, chat: ChatState, message: Message): boolean {
  if (chat.type === "private") return true;
  if (bot.user.can_read_all_group_messages || chat.administratorIds.includes(bot.user.id)) return true;
  const text = message.text ?? message.caption;
  const isService = text === undefined && !message.photo && !message.voice && !message.document;
  if (isService || message.reply_to_message?.from?.id === bot.user.id) return true;
  const name = `@${bot.user.username}`.toLowerCase();
  return (message.entities ?? message.caption_entities ?? []).some((entity) => {
    const part = (text ?? "").slice(entity.offset, entity.offset + entity.length).toLowerCase();
    if (entity.type === "mention") return part === name;
    if (entity.type === "text_mention") return entity.user.id === bot.user.id;
    if (entity.type !== "bot_command") return false;
    return part.includes("@") ? part.endsWith(name) : spokeLast(bot, chat);
  });
}

function spokeLast(bot: BotState, chat: ChatState): boolean {
  const last = chat.messages.findLast(({ from }) => from?.is_bot);
  return last === undefined || last.from?.id === bot.user.id;
}
