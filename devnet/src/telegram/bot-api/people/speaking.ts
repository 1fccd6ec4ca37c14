import type { Message, ReactionType, User } from "@grammyjs/types";
import type { MediaOptions, SendOptions } from "../interface.ts";
import { detectEntities } from "../text/detect-entities.ts";
import { fixFormattedText } from "../text/formatted-text.ts";
import { MAX_CAPTION_LENGTH, MAX_TEXT_LENGTH } from "../text/input-text.ts";
import { botsIn, chatObject } from "../world/chats.ts";
import { type FileToStore, mediaContent, storeFile } from "../world/files.ts";
import { findMessage, type MessageContent, postMessage, replaceMessage } from "../world/messages.ts";
import type { ChatState, PersonState } from "../world/state.ts";
import { queueUpdate } from "../world/updates.ts";
import { emit, unixTime, type World } from "../world/world.ts";

/** What a person cannot do, in words for whoever wrote the test. */
export class PeopleError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "PeopleError";
  }
}

export function say(
  world: World,
  chat: ChatState,
  person: PersonState,
  text: string,
  options: SendOptions,
): Message {
  const content = written(text, options.entities, { name: "text", max: MAX_TEXT_LENGTH });
  if (content.text === "")
    throw new PeopleError("text: must hold more than white space; an app sends no empty message");
  return post(world, chat, person, options, {
    text: content.text,
    ...(content.entities.length > 0 && { entities: content.entities }),
  });
}

export async function sendFile(
  world: World,
  chat: ChatState,
  person: PersonState,
  file: FileToStore,
  options: MediaOptions,
): Promise<Message> {
  const caption = written(options.caption ?? "", options.entities, {
    name: "caption",
    max: MAX_CAPTION_LENGTH,
  });
  const stored = await storeFile(world, file);
  return post(world, chat, person, options, {
    ...mediaContent(stored),
    ...(caption.text !== "" && { caption: caption.text }),
    ...(caption.entities.length > 0 && { caption_entities: caption.entities }),
  });
}

export function editOwn(
  world: World,
  chat: ChatState,
  person: PersonState,
  messageId: number,
  text: string,
): Message {
  const message = ownMessage(chat, person, messageId);
  const content = written(text, [], { name: "text", max: MAX_TEXT_LENGTH });
  const { entities: _, ...rest } = message;
  return replaceMessage(world, chat, {
    ...rest,
    text: content.text,
    ...(content.entities.length > 0 && { entities: content.entities }),
    edit_date: unixTime(world),
  } as Message);
}

/** Sets a person's reactions to a message; bots that may know hear of it. */
export function react(
  world: World,
  chat: ChatState,
  user: User,
  messageId: number,
  reactions: readonly ReactionType[],
): void {
  const ofMessage = chat.reactions[messageId] ?? {};
  const before = ofMessage[user.id] ?? [];
  chat.reactions[messageId] = { ...ofMessage, [user.id]: [...reactions] };
  world.changed();
  emit(world, { type: "reaction", chat: chat.key, messageId, fromId: user.id, reactions });
  if (user.is_bot) return;
  for (const bot of botsIn(world, chat)) {
    const mayKnow = chat.type === "private" || chat.administratorIds.includes(bot.user.id);
    if (!mayKnow) continue;
    queueUpdate(world, bot, {
      message_reaction: {
        chat: chatObject(world, chat),
        message_id: messageId,
        user,
        date: unixTime(world),
        old_reaction: [...before],
        new_reaction: [...reactions],
      },
    });
  }
}

/** The message that a person means. @throws PeopleError when the chat does not show it */
export function shown(chat: ChatState, messageId: number): Message {
  const message = findMessage(chat, messageId);
  if (message) return message;
  const ids = chat.messages.map(({ message_id }) => message_id).join(", ");
  throw new PeopleError(
    `message ${messageId} is not in chat ${chat.key}; it shows ${ids === "" ? "none" : ids}`,
  );
}

function ownMessage(chat: ChatState, person: PersonState, messageId: number): Message {
  const message = shown(chat, messageId);
  if (message.from?.id !== person.user.id)
    throw new PeopleError(`message ${messageId} is somebody else's; only its author edits it`);
  return message;
}

function written(
  text: string,
  given: SendOptions["entities"],
  limit: { readonly name: string; readonly max: number },
) {
  const fixed = fixFormattedText(text, given ?? []);
  if (fixed.text.length > limit.max) {
    throw new PeopleError(
      `${limit.name}: ${fixed.text.length} UTF-16 code units; an app sends at most ${limit.max}`,
    );
  }
  return { text: fixed.text, entities: detectEntities(fixed.text, fixed.entities) };
}

function post(
  world: World,
  chat: ChatState,
  person: PersonState,
  { threadId, replyTo }: SendOptions,
  content: MessageContent,
): Message {
  if (!chat.memberIds.includes(person.user.id))
    throw new PeopleError(`${person.user.first_name} is not in chat ${chat.key}`);
  if (person.blockedBotIds.includes(chat.botId ?? 0))
    throw new PeopleError("an app has no field to write in while the bot is blocked; unblock it first");
  if (threadId !== undefined && !chat.topics.some((topic) => topic.threadId === threadId)) {
    throw new PeopleError(`topic ${threadId} is not in chat ${chat.key}`);
  }
  chat.hasStarted = true;
  const target = replyTo === undefined ? undefined : shown(chat, replyTo);
  return postMessage(world, chat, person.user, content, { threadId, replyTo: target });
}
