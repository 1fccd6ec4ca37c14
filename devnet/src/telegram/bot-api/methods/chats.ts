import type { ChatMember } from "@grammyjs/types";
import { z } from "zod";
import { badRequest } from "../api-error.ts";
import { setAction } from "../world/actions.ts";
import { chatForBot, chatObject, isGroup, userOf } from "../world/chats.ts";
import { setMember } from "../world/groups.ts";
import type { ChatState } from "../world/state.ts";
import type { World } from "../world/world.ts";
import { type Method, method } from "./method.ts";
import { chatId, integer } from "./parameters.ts";
import { readThread } from "./sending.ts";

const ACTIONS = [
  "typing",
  "upload_photo",
  "record_video",
  "upload_video",
  "record_voice",
  "upload_voice",
  "upload_document",
  "choose_sticker",
  "find_location",
  "record_video_note",
  "upload_video_note",
] as const;

const sendChatAction = method(
  z.object({
    chat_id: chatId,
    message_thread_id: integer.optional(),
    action: z.enum(ACTIONS, { error: "wrong parameter action in request" }),
  }),
  ({ world, bot }, parameters) => {
    const chat = chatForBot(world, bot, parameters.chat_id);
    readThread(chat, parameters.message_thread_id);
    setAction(world, chat, parameters.action);
    return true;
  },
);

const getChat = method(z.object({ chat_id: chatId }), ({ world, bot }, { chat_id: id }) => {
  const chat = chatForBot(world, bot, id, "read");
  return {
    ...chatObject(world, chat),
    accent_color_id: 0,
    max_reaction_count: 11,
    accepted_gift_types: {
      unlimited_gifts: false,
      limited_gifts: false,
      unique_gifts: false,
      premium_subscription: false,
      gifts_from_channels: false,
    },
    ...(isGroup(chat) && {
      permissions: { can_send_messages: true },
      has_visible_history: true,
    }),
  };
});

const getChatMember = method(
  z.object({ chat_id: chatId, user_id: z.coerce.number({ error: "invalid user_id specified" }).int() }),
  ({ world, bot }, { chat_id: id, user_id: userId }) => {
    const chat = chatForBot(world, bot, id, "read");
    const member = memberOf(world, chat, userId);
    if (!member) throw badRequest("PARTICIPANT_ID_INVALID");
    return member;
  },
);

const getChatMemberCount = method(
  z.object({ chat_id: chatId }),
  ({ world, bot }, { chat_id: id }) => chatForBot(world, bot, id, "read").memberIds.length,
);

const getChatAdministrators = method(z.object({ chat_id: chatId }), ({ world, bot }, { chat_id: id }) => {
  const chat = chatForBot(world, bot, id, "read");
  if (!isGroup(chat)) throw badRequest("there are no administrators in the private chat");
  const ids = new Set([...(chat.creatorId === undefined ? [] : [chat.creatorId]), ...chat.administratorIds]);
  return [...ids].flatMap((userId) => memberOf(world, chat, userId) ?? []);
});

const leaveChat = method(z.object({ chat_id: chatId }), ({ world, bot }, { chat_id: id }) => {
  const chat = chatForBot(world, bot, id, "read");
  if (!isGroup(chat)) throw badRequest("chat member status can't be changed in private chats");
  setMember(world, chat, bot.user.id, "leave");
  return true;
});

export const chatMethods: Readonly<Record<string, Method>> = {
  sendChatAction,
  getChat,
  getChatMember,
  getChatMemberCount,
  getChatAdministrators,
  leaveChat,
};

function memberOf(world: World, chat: ChatState, userId: number): ChatMember | undefined {
  const user = userOf(world, userId);
  if (!user) return undefined;
  if (!chat.memberIds.includes(userId)) return { status: "left", user };
  if (chat.creatorId === userId) return { status: "creator", user, is_anonymous: false };
  if (!chat.administratorIds.includes(userId)) return { status: "member", user };
  return {
    status: "administrator",
    user,
    can_be_edited: false,
    is_anonymous: false,
    can_manage_chat: true,
    can_delete_messages: true,
    can_manage_video_chats: true,
    can_restrict_members: true,
    can_promote_members: false,
    can_change_info: true,
    can_invite_users: true,
    can_post_stories: false,
    can_edit_stories: false,
    can_delete_stories: false,
    can_pin_messages: true,
    can_manage_topics: true,
  } as ChatMember;
}
