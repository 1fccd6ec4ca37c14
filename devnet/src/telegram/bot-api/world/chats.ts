import type { Chat, User } from "@grammyjs/types";
import { badRequest, forbidden } from "../api-error.ts";
import type { ChatSnapshot } from "../interface.ts";
import type { BotState, ChatState, PersonState } from "./state.ts";
import { emit, type World } from "./world.ts";

export const privateChatKey = (botId: number, personId: number) => `private:${botId}:${personId}`;
export const groupKey = (chatId: number) => `group:${chatId}`;

/** The private chat of a person with a bot, made when it is opened for the first time. */
export function privateChat(world: World, bot: BotState, person: PersonState): ChatState {
  const key = privateChatKey(bot.user.id, person.user.id);
  const existing = world.state.chats[key];
  if (existing) return existing;
  const chat: ChatState = {
    key,
    id: person.user.id,
    type: "private",
    title: bot.user.first_name,
    botId: bot.user.id,
    personId: person.user.id,
    isForum: false,
    memberIds: [bot.user.id, person.user.id],
    administratorIds: [],
    hasStarted: false,
    nextMessageId: 1,
    messages: [],
    topics: [],
    reactions: {},
  };
  addChat(world, chat);
  return chat;
}

export function addChat(world: World, chat: ChatState): void {
  world.state.chats[chat.key] = chat;
  world.changed();
  emit(world, { type: "chat", chat: chat.key, snapshot: chatSnapshot(world, chat) });
}

/** The chat as it stands in messages and updates. */
export function chatObject(world: World, chat: ChatState): Chat.PrivateChat | Chat.SupergroupChat {
  if (chat.type === "private") {
    const user = userOf(world, chat.personId ?? 0);
    return {
      id: chat.id,
      type: "private",
      first_name: user?.first_name ?? "",
      ...(user?.last_name !== undefined && { last_name: user.last_name }),
      ...(user?.username !== undefined && { username: user.username }),
    };
  }
  return {
    id: chat.id,
    type: "supergroup",
    title: chat.title,
    ...(chat.isForum && { is_forum: true as const }),
  };
}

/** A person, or a bot as others see it. */
export function userOf(world: World, id: number): User | undefined {
  const person = world.state.persons[id];
  if (person) return person.user;
  const bot = world.state.bots[id];
  return bot && botAsUser(bot);
}

export function botAsUser({ user: { id, first_name, username } }: BotState): User {
  return { id, is_bot: true, first_name, username };
}

/**
 * The chat that a bot names by id or `@username`.
 * @throws BotApiError 400 `chat not found`, 403 where the bot may not write.
 */
export function chatForBot(
  world: World,
  bot: BotState,
  chatId: number | string,
  access: "read" | "write" = "write",
): ChatState {
  const chat = findChat(world, bot, chatId);
  if (!chat) throw badRequest("chat not found");
  if (chat.type === "private") {
    const person = world.state.persons[chat.personId ?? 0];
    if (access === "write" && person?.blockedBotIds.includes(bot.user.id))
      throw forbidden("bot was blocked by the user");
    if (access === "write" && !chat.hasStarted)
      throw forbidden("bot can't initiate conversation with a user");
  } else if (!chat.memberIds.includes(bot.user.id)) {
    const isKicked = chat.kickedIds?.includes(bot.user.id) ?? false;
    throw forbidden(`bot ${isKicked ? "was kicked from" : "is not a member of"} the supergroup chat`);
  }
  return chat;
}

function findChat(world: World, bot: BotState, chatId: number | string): ChatState | undefined {
  if (typeof chatId === "string" && !/^-?\d+$/.test(chatId)) return undefined;
  const id = Number(chatId);
  return world.state.chats[id < 0 ? groupKey(id) : privateChatKey(bot.user.id, id)];
}

export const isGroup = (chat: ChatState) => chat.type !== "private";

/** Bots that are in a chat. */
export function botsIn(world: World, chat: ChatState): BotState[] {
  return chat.memberIds.flatMap((id) => world.state.bots[id] ?? []);
}

export function chatSnapshot(world: World, chat: ChatState): ChatSnapshot {
  return {
    id: chat.id,
    key: chat.key,
    type: chat.type,
    title: chat.title,
    botId: chat.botId,
    memberIds: [...chat.memberIds],
    messages: [...chat.messages],
    drafts: (world.passing.drafts.get(chat.key) ?? []).map(({ cancelExpiry: _, ...draft }) => draft),
    topics: chat.topics.map(({ threadId, name, isClosed }) => ({ threadId, name, isClosed })),
    action: world.passing.actions.get(chat.key)?.action ?? null,
    keyboard: chat.keyboard?.view ?? null,
  };
}
