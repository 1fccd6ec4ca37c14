import type {
  ChatSnapshot,
  TelegramEvent,
  TelegramSnapshot,
} from "../../../../telegram/bot-api/interface.ts";

/** What the screens show after an event; events that show nothing leave the snapshot as it is. */
export function applyEvent(world: TelegramSnapshot, event: TelegramEvent): TelegramSnapshot {
  if (event.id <= world.eventId) return world;
  return { ...changed(world, event), eventId: event.id };
}

function changed(world: TelegramSnapshot, event: TelegramEvent): TelegramSnapshot {
  switch (event.type) {
    case "bot":
      return { ...world, bots: replaced(world.bots, event.bot, (bot) => bot.user.id) };
    case "person":
      return { ...world, persons: replaced(world.persons, event.person, (person) => person.id) };
    case "chat":
      return { ...world, chats: replaced(world.chats, event.snapshot, (chat) => chat.key) };
    case "message":
      return inChat(world, event.chat, (chat) => ({
        messages: replaced(chat.messages, event.message, (message) => message.message_id),
        action: event.message.from?.is_bot ? null : chat.action,
      }));
    case "message_edited":
      return inChat(world, event.chat, (chat) => ({
        messages: replaced(chat.messages, event.message, (message) => message.message_id),
      }));
    case "messages_deleted":
      return inChat(world, event.chat, (chat) => ({
        messages: chat.messages.filter(({ message_id }) => !event.messageIds.includes(message_id)),
      }));
    case "draft":
      return inChat(world, event.chat, (chat) => ({
        drafts: replaced(chat.drafts, event.draft, (draft) => draft.draftId),
      }));
    case "draft_gone":
      return inChat(world, event.chat, (chat) => ({
        drafts: chat.drafts.filter(({ draftId }) => draftId !== event.draftId),
      }));
    case "action":
      return inChat(world, event.chat, () => ({ action: event.action }));
    case "topic":
      return inChat(world, event.chat, (chat) => ({
        topics: replaced(chat.topics, event.topic, (topic) => topic.threadId),
      }));
    case "topic_deleted":
      return inChat(world, event.chat, (chat) => ({
        topics: chat.topics.filter(({ threadId }) => threadId !== event.threadId),
      }));
    default:
      return world;
  }
}

function inChat(
  world: TelegramSnapshot,
  key: string,
  change: (chat: ChatSnapshot) => Partial<ChatSnapshot>,
): TelegramSnapshot {
  return {
    ...world,
    chats: world.chats.map((chat) => (chat.key === key ? { ...chat, ...change(chat) } : chat)),
  };
}

function replaced<T>(list: readonly T[], item: T, id: (item: T) => string | number): readonly T[] {
  const at = list.findIndex((one) => id(one) === id(item));
  return at < 0 ? [...list, item] : list.with(at, item);
}
