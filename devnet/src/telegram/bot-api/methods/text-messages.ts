import type { LinkPreviewOptions, Message, RichMessage } from "@grammyjs/types";
import { z } from "zod";
import { badRequest } from "../api-error.ts";
import { readRichMessage, richInput } from "../rich/rich-message.ts";
import { type InputText, MAX_TEXT_LENGTH, readText } from "../text/input-text.ts";
import { chatForBot, isGroup } from "../world/chats.ts";
import { deleteMessages, type MessageContent, messageOf, replaceMessage } from "../world/messages.ts";
import type { ChatState } from "../world/state.ts";
import { unixTime } from "../world/world.ts";
import { type Method, type MethodContext, method } from "./method.ts";
import { boolean, chatId, entities, json, messageId, placement } from "./parameters.ts";
import { readReplyMarkup } from "./reply-markup.ts";
import { admitMessage, isSame, resolveMentions, sendAs } from "./sending.ts";

const text = z.string().optional();
const linkPreview = json(
  z.looseObject({ is_disabled: z.boolean().optional() }),
  "link preview options",
).optional();

const sendMessage = method(
  z.object({
    ...placement,
    text,
    parse_mode: z.string().optional(),
    entities,
    link_preview_options: linkPreview,
    disable_web_page_preview: boolean.optional(),
  }),
  (context, parameters) => sendAs(context, parameters, textContent(context, parameters)),
);

const sendRichMessage = method(z.object({ ...placement, rich_message: richInput }), (context, parameters) =>
  sendAs(context, parameters, {
    rich_message: readRichMessage(parameters.rich_message, {
      isDraft: false,
      isPrivate: isPrivateId(parameters.chat_id),
    }),
  }),
);

const editMessageText = method(
  z.object({
    chat_id: chatId.optional(),
    message_id: messageId.optional(),
    inline_message_id: z.string().optional(),
    text,
    parse_mode: z.string().optional(),
    entities,
    link_preview_options: linkPreview,
    rich_message: richInput.optional(),
    reply_markup: z.unknown().optional(),
  }),
  (context, parameters) => {
    const { rich_message: rich } = parameters;
    if (rich !== undefined && parameters.text !== undefined)
      throw badRequest("text and rich_message can't be both specified");
    const content = rich
      ? {
          rich_message: readRichMessage(rich, { isDraft: false, isPrivate: isPrivateId(parameters.chat_id) }),
        }
      : textContent(context, parameters);
    return edit(context, parameters, (message) => {
      if (message.text === undefined && message.rich_message === undefined) {
        throw badRequest("there is no text in the message to edit");
      }
      return content;
    });
  },
);

const editMessageReplyMarkup = method(
  z.object({
    chat_id: chatId.optional(),
    message_id: messageId.optional(),
    inline_message_id: z.string().optional(),
    reply_markup: z.unknown().optional(),
  }),
  (context, parameters) => edit(context, parameters, () => undefined),
);

const deleteMessage = method(z.object({ chat_id: chatId, message_id: messageId }), (context, parameters) => {
  const chat = chatForBot(context.world, context.bot, parameters.chat_id);
  const message = messageOf(chat, parameters.message_id, "message to delete");
  if (!mayDelete(context, chat, message)) throw badRequest("message can't be deleted for everyone");
  deleteMessages(context.world, chat, [message.message_id]);
  return true;
});

const deleteManyMessages = method(
  z.object({
    chat_id: chatId,
    message_ids: json(
      z
        .array(z.coerce.number().int())
        .min(1, "message identifiers are not specified")
        .max(100, "too many message identifiers specified"),
      "message_ids",
    ),
  }),
  (context, parameters) => {
    const chat = chatForBot(context.world, context.bot, parameters.chat_id);
    const deletable = parameters.message_ids.filter((id) => {
      const message = chat.messages.find(({ message_id }) => message_id === id);
      return message !== undefined && mayDelete(context, chat, message);
    });
    deleteMessages(context.world, chat, deletable);
    return true;
  },
);

export const textMethods: Readonly<Record<string, Method>> = {
  sendMessage,
  sendRichMessage,
  editMessageText,
  editMessageReplyMarkup,
  deleteMessage,
  deleteMessages: deleteManyMessages,
};

interface Target {
  readonly chat_id?: number | string | undefined;
  readonly message_id?: number | undefined;
  readonly inline_message_id?: string | undefined;
  readonly reply_markup?: unknown;
}

/**
 * Gives a message of the bot's own new content; a keyboard that is not passed goes, as in Telegram.
 * @param content what changes besides the keyboard; undefined keeps the rest
 */
export function edit(
  context: MethodContext,
  target: Target,
  content: (message: Message) => MessageContent | undefined,
): Message {
  const { world, bot } = context;
  if (target.inline_message_id !== undefined) throw badRequest("MESSAGE_ID_INVALID");
  if (target.chat_id === undefined) throw badRequest("chat_id is empty");
  const chat = chatForBot(world, bot, target.chat_id);
  if (target.message_id === undefined) throw badRequest("message identifier is not specified");
  const message = messageOf(chat, target.message_id, "message to edit");
  if (message.from?.id !== bot.user.id) throw badRequest("message can't be edited");
  const keyboard = readReplyMarkup(target.reply_markup, {
    isPrivate: !isGroup(chat),
    isInvoice: message.invoice !== undefined,
  });
  const changed = content(message);
  const { reply_markup: before, ...kept } = message;
  const base = changed === undefined ? kept : withoutContent(kept as Message);
  const next = { ...base, ...changed, ...(keyboard && { reply_markup: keyboard }) } as Message;
  const { edit_date: _, ...comparable } = message;
  const { edit_date: __, ...candidate } = next;
  if (
    isSame(sorted({ ...comparable, reply_markup: before }), sorted({ ...candidate, reply_markup: keyboard }))
  ) {
    throw badRequest(
      "message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message",
    );
  }
  admitMessage(context, chat);
  return replaceMessage(world, chat, { ...next, edit_date: unixTime(world) } as Message);
}

function withoutContent(message: Message): Partial<Message> {
  const {
    text: _,
    entities: __,
    rich_message: ___,
    link_preview_options: ____,
    ...rest
  } = message as Message & {
    rich_message?: RichMessage;
  };
  return rest as Partial<Message>;
}

/** Groups have negative ids. */
const isPrivateId = (id: number | string | undefined) => Number(id) > 0;

const sorted = (value: object) =>
  Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));

function textContent(
  context: MethodContext,
  parameters: Omit<InputText, "text"> & {
    readonly text?: string | undefined;
    readonly link_preview_options?: object | undefined;
    readonly disable_web_page_preview?: boolean | undefined;
  },
): MessageContent {
  if (parameters.text === undefined || parameters.text === "") throw badRequest("message text is empty");
  const { text, entities } = readText(
    { ...parameters, text: parameters.text },
    { max: MAX_TEXT_LENGTH, tooLong: "message is too long" },
  );
  if (text === "") throw badRequest("text must be non-empty");
  const found = resolveMentions(context, entities);
  const preview = (parameters.link_preview_options ??
    (parameters.disable_web_page_preview && { is_disabled: true })) as LinkPreviewOptions | undefined;
  return {
    text,
    ...(found.length > 0 && { entities: found }),
    ...(preview && { link_preview_options: preview }),
  };
}

/** A bot deletes its own messages, what comes to it in private, and anything where it is administrator. */
function mayDelete({ bot, world }: MethodContext, chat: ChatState, message: Message): boolean {
  const isRecent = unixTime(world) - message.date < 48 * 3_600;
  if (message.from?.id === bot.user.id || !isGroup(chat)) return isRecent;
  return chat.administratorIds.includes(bot.user.id);
}
