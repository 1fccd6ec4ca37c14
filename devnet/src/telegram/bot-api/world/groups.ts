import type { GroupOptions } from "../interface.ts";
import { reportMembership } from "./accounts.ts";
import { addChat, chatSnapshot, groupKey, userOf } from "./chats.ts";
import { postMessage } from "./messages.ts";
import type { ChatState } from "./state.ts";
import { emit, type World } from "./world.ts";

/** A supergroup, which is what every group with a bot soon becomes. */
export function createGroup(world: World, options: GroupOptions, memberIds: readonly number[]): ChatState {
  const id = -1_000_000_000_000 - world.state.nextGroupNumber;
  world.state.nextGroupNumber += 1;
  const creatorId = memberIds.find((member) => world.state.persons[member]);
  const chat: ChatState = {
    key: groupKey(id),
    id,
    type: "supergroup",
    title: options.title ?? "Group",
    botId: null,
    personId: null,
    isForum: options.forum ?? false,
    memberIds: [],
    administratorIds: [],
    ...(creatorId !== undefined && { creatorId }),
    hasStarted: true,
    nextMessageId: 1,
    messages: [],
    topics: [],
    reactions: {},
  };
  addChat(world, chat);
  for (const memberId of memberIds) setMember(world, chat, memberId, "join");
  return chat;
}

type Change = "join" | "leave" | "kick";

/** Adds or removes somebody, with the service message and what a bot hears of it. */
export function setMember(world: World, chat: ChatState, id: number, change: Change): void {
  const isMember = change === "join";
  if (chat.memberIds.includes(id) === isMember) return;
  const user = userOf(world, id);
  if (!user) throw new RangeError(`user ${id} does not exist in this Telegram`);
  const bot = world.state.bots[id];
  // Who does it: the first person in the group, or whoever joins.
  const actor = chat.memberIds.map((member) => world.state.persons[member]?.user).find((one) => one) ?? user;
  chat.memberIds = chat.memberIds.filter((member) => member !== id);
  chat.administratorIds = chat.administratorIds.filter((member) => member !== id);
  chat.kickedIds = (chat.kickedIds ?? []).filter((member) => member !== id);
  if (isMember) chat.memberIds.push(id);
  if (change === "kick") chat.kickedIds.push(id);
  announceChat(world, chat);
  if (bot) {
    const gone = change === "kick" ? "kicked" : "left";
    reportMembership(world, {
      chat,
      bot,
      from: change === "leave" ? user : actor,
      was: isMember ? "left" : "member",
      is: isMember ? "member" : gone,
    });
  }
  const from = change === "leave" || actor.is_bot ? user : actor;
  // A bot's own account writes no service message here; there is nobody to have added it.
  if (from.is_bot) return;
  postMessage(world, chat, from, isMember ? { new_chat_members: [user] } : { left_chat_member: user });
}

export function setAdministrator(world: World, chat: ChatState, id: number, isAdministrator: boolean): void {
  if (!chat.memberIds.includes(id)) throw new RangeError(`user ${id} is no member of chat ${chat.key}`);
  if (chat.administratorIds.includes(id) === isAdministrator) return;
  chat.administratorIds = isAdministrator
    ? [...chat.administratorIds, id]
    : chat.administratorIds.filter((member) => member !== id);
  announceChat(world, chat);
  const bot = world.state.bots[id];
  const actor = chat.memberIds.map((member) => world.state.persons[member]?.user).find((one) => one);
  if (!bot || !actor) return;
  const [was, is] = isAdministrator
    ? (["member", "administrator"] as const)
    : (["administrator", "member"] as const);
  reportMembership(world, { chat, bot, from: actor, was, is });
}

/** Tells the screens how a chat stands now. */
export function announceChat(world: World, chat: ChatState): void {
  world.changed();
  emit(world, { type: "chat", chat: chat.key, snapshot: chatSnapshot(world, chat) });
}
