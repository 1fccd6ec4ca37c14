import { z } from "zod";
import { badRequest } from "../api-error.ts";
import { botAsUser, chatForBot, isGroup } from "../world/chats.ts";
import { deleteMessages, postMessage } from "../world/messages.ts";
import type { ChatState, TopicState } from "../world/state.ts";
import { announceTopic, createTopic, ICON_COLORS } from "../world/topics.ts";
import { emit } from "../world/world.ts";
import { type Method, type MethodContext, method } from "./method.ts";
import { chatId, integer } from "./parameters.ts";

const MAX_NAME_LENGTH = 128;
const name = z.string().min(1, "TOPIC_TITLE_EMPTY").max(MAX_NAME_LENGTH, "TOPIC_TITLE_INVALID");
const place = { chat_id: chatId, message_thread_id: integer };

const createForumTopic = method(
  z.object({
    chat_id: chatId,
    name,
    icon_color: integer.optional(),
    icon_custom_emoji_id: z.string().optional(),
  }),
  (context, parameters) => {
    const chat = forum(context, parameters.chat_id);
    const color = parameters.icon_color ?? ICON_COLORS[0];
    if (!ICON_COLORS.some((one) => one === color)) throw badRequest("TOPIC_ICON_COLOR_INVALID");
    const topic = createTopic(context.world, chat, botAsUser(context.bot), {
      name: parameters.name,
      iconColor: color,
      ...(parameters.icon_custom_emoji_id && { iconCustomEmojiId: parameters.icon_custom_emoji_id }),
    });
    return {
      message_thread_id: topic.threadId,
      name: topic.name,
      icon_color: topic.iconColor,
      ...(topic.iconCustomEmojiId !== undefined && { icon_custom_emoji_id: topic.iconCustomEmojiId }),
    };
  },
);

const editForumTopic = method(
  z.object({
    ...place,
    name: name.or(z.literal("")).optional(),
    icon_custom_emoji_id: z.string().optional(),
  }),
  (context, parameters) => {
    const { chat, topic } = find(context, parameters);
    const isSame =
      (!parameters.name || parameters.name === topic.name) &&
      (parameters.icon_custom_emoji_id === undefined ||
        parameters.icon_custom_emoji_id === (topic.iconCustomEmojiId ?? ""));
    if (isSame) throw badRequest("TOPIC_NOT_MODIFIED");
    if (parameters.name) topic.name = parameters.name;
    if (parameters.icon_custom_emoji_id) topic.iconCustomEmojiId = parameters.icon_custom_emoji_id;
    report(context, chat, topic, {
      forum_topic_edited: {
        ...(parameters.name && { name: parameters.name }),
        ...(parameters.icon_custom_emoji_id !== undefined && {
          icon_custom_emoji_id: parameters.icon_custom_emoji_id,
        }),
      },
    });
    return true;
  },
);

function opening(isClosed: boolean): Method {
  return method(z.object(place), (context, parameters) => {
    const { chat, topic } = find(context, parameters);
    if (topic.isClosed === isClosed) throw badRequest("TOPIC_NOT_MODIFIED");
    topic.isClosed = isClosed;
    report(context, chat, topic, isClosed ? { forum_topic_closed: {} } : { forum_topic_reopened: {} });
    return true;
  });
}

const deleteForumTopic = method(z.object(place), (context, parameters) => {
  const { chat, topic } = find(context, parameters);
  chat.topics.splice(chat.topics.indexOf(topic), 1);
  const messages = chat.messages.filter((message) => message.message_thread_id === topic.threadId);
  deleteMessages(
    context.world,
    chat,
    messages.map(({ message_id }) => message_id),
  );
  context.world.changed();
  emit(context.world, { type: "topic_deleted", chat: chat.key, threadId: topic.threadId });
  return true;
});

export const topicMethods: Readonly<Record<string, Method>> = {
  createForumTopic,
  editForumTopic,
  closeForumTopic: opening(true),
  reopenForumTopic: opening(false),
  deleteForumTopic,
};

/** A chat with topics: a forum, or a private chat of a bot that has them switched on. */
function forum({ world, bot }: MethodContext, id: number | string): ChatState {
  const chat = chatForBot(world, bot, id);
  if (isGroup(chat) ? !chat.isForum : !bot.user.has_topics_enabled)
    throw badRequest("the chat is not a forum");
  if (isGroup(chat) && !chat.administratorIds.includes(bot.user.id)) {
    throw badRequest("not enough rights to create a topic");
  }
  return chat;
}

function find(context: MethodContext, parameters: { chat_id: number | string; message_thread_id: number }) {
  const chat = forum(context, parameters.chat_id);
  const topic = chat.topics.find(({ threadId }) => threadId === parameters.message_thread_id);
  if (!topic) throw badRequest("TOPIC_ID_INVALID");
  return { chat, topic };
}

function report({ world, bot }: MethodContext, chat: ChatState, topic: TopicState, content: object): void {
  announceTopic(world, chat, topic);
  postMessage(world, chat, botAsUser(bot), content, { threadId: topic.threadId });
}
