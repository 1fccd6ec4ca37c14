import { z } from "zod";
import { badRequest, tooManyRequests } from "../api-error.ts";
import { readRichMessage, richInput } from "../rich/rich-message.ts";
import { MAX_TEXT_LENGTH, readText } from "../text/input-text.ts";
import { chatForBot, isGroup } from "../world/chats.ts";
import { type DraftContent, showDraft } from "../world/drafts.ts";
import { type Method, type MethodContext, method } from "./method.ts";
import { boolean, chatId, entities, integer } from "./parameters.ts";
import { readThread, resolveMentions } from "./sending.ts";

const place = {
  chat_id: chatId,
  message_thread_id: integer.optional(),
  draft_id: integer.optional(),
  can_stop: boolean.optional(),
  keep_on_stop: boolean.optional(),
};

const sendMessageDraft = method(
  z.object({ ...place, text: z.string().optional(), parse_mode: z.string().optional(), entities }),
  (context, parameters) => {
    const { text, entities } = readText(
      { ...parameters, text: parameters.text ?? "" },
      { max: MAX_TEXT_LENGTH, tooLong: "message is too long" },
    );
    const found = resolveMentions(context, entities);
    return show(context, parameters, {
      text,
      isThinking: text === "",
      ...(found.length > 0 && { entities: found }),
    });
  },
);

const sendRichMessageDraft = method(
  z.object({ ...place, rich_message: richInput }),
  (context, parameters) => {
    const richMessage = readRichMessage(parameters.rich_message, { isDraft: true, isPrivate: true });
    const isThinking = richMessage.blocks.every(({ type }) => type === "thinking");
    return show(context, parameters, { text: "", richMessage, isThinking });
  },
);

export const draftMethods: Readonly<Record<string, Method>> = { sendMessageDraft, sendRichMessageDraft };

function show(
  { world, bot }: MethodContext,
  parameters: {
    readonly chat_id: number | string;
    readonly message_thread_id?: number | undefined;
    readonly draft_id?: number | undefined;
    readonly can_stop?: boolean | undefined;
    readonly keep_on_stop?: boolean | undefined;
  },
  content: Pick<DraftContent, "text" | "entities" | "richMessage" | "isThinking">,
): true {
  const chat = chatForBot(world, bot, parameters.chat_id);
  if (isGroup(chat)) throw badRequest("TEXTDRAFT_PEER_INVALID");
  if (!parameters.draft_id) throw badRequest("RANDOM_ID_INVALID");
  const threadId = readThread(chat, parameters.message_thread_id);
  const waitMs = world.flood?.draft(bot.user.id, chat.key, world.clock.now());
  if (waitMs) throw tooManyRequests(waitMs / 1_000);
  showDraft(world, chat, {
    ...content,
    draftId: parameters.draft_id,
    threadId,
    canStop: parameters.can_stop ?? false,
    keepOnStop: parameters.keep_on_stop ?? false,
  });
  return true;
}
