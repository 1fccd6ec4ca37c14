import type { User } from "@grammyjs/types";
import { postMessage } from "./messages.ts";
import type { ChatState, TopicState } from "./state.ts";
import { emit, type World } from "./world.ts";

/** The six colours that a topic's icon may have. */
export const ICON_COLORS = [0x6fb9f0, 0xffd67e, 0xcb86db, 0x8eee98, 0xff93b2, 0xfb6f5f] as const;

/** Makes a topic with its service message, whose id is the topic's. */
export function createTopic(
  world: World,
  chat: ChatState,
  from: User,
  options: { readonly name: string; readonly iconColor?: number; readonly iconCustomEmojiId?: string },
): TopicState {
  const topic: TopicState = {
    threadId: chat.nextMessageId,
    name: options.name,
    iconColor: options.iconColor ?? ICON_COLORS[0],
    ...(options.iconCustomEmojiId !== undefined && { iconCustomEmojiId: options.iconCustomEmojiId }),
    isClosed: false,
  };
  chat.topics.push(topic);
  announceTopic(world, chat, topic);
  postMessage(
    world,
    chat,
    from,
    { forum_topic_created: { name: topic.name, icon_color: topic.iconColor as never } },
    { threadId: topic.threadId },
  );
  return topic;
}

export function announceTopic(world: World, chat: ChatState, { threadId, name, isClosed }: TopicState): void {
  world.changed();
  emit(world, { type: "topic", chat: chat.key, topic: { threadId, name, isClosed } });
}
