import type { ReactionType } from "@grammyjs/types";
import { z } from "zod";
import { badRequest } from "../api-error.ts";
import { react } from "../people/speaking.ts";
import { checkedLink } from "../text/links.ts";
import { botAsUser, chatForBot } from "../world/chats.ts";
import { messageOf } from "../world/messages.ts";
import { emit } from "../world/world.ts";
import { type Method, method } from "./method.ts";
import { boolean, chatId, json, messageId } from "./parameters.ts";

const MAX_ANSWER_LENGTH = 200;
const MAX_INLINE_RESULTS = 50;
const TOO_OLD = "query is too old and response timeout expired or query ID is invalid";

const answerCallbackQuery = method(
  z.object({
    callback_query_id: z.coerce.string(),
    text: z.string().max(MAX_ANSWER_LENGTH, "MESSAGE_TOO_LONG").optional(),
    show_alert: boolean.optional(),
    url: z.string().optional(),
    cache_time: z.unknown().optional(),
  }),
  ({ world, bot }, { callback_query_id: id, text = "", show_alert: showAlert = false, url }) => {
    const query = world.passing.callbackQueries.get(id);
    if (query?.botId !== bot.user.id) throw badRequest(TOO_OLD);
    if (url !== undefined && checkedLink(url) === undefined) throw badRequest("URL_INVALID");
    const answer = { text, showAlert, ...(url !== undefined && { url }) };
    emit(world, { type: "callback_answered", chat: query.chatKey, queryId: id, ...answer });
    query.answer(answer);
    return true;
  },
);

const EMOJI = new Set(
  "👍 👎 ❤ 🔥 🥰 👏 😁 🤔 🤯 😱 🤬 😢 🎉 🤩 🤮 💩 🙏 👌 🕊 🤡 🥱 🥴 😍 🐳 ❤‍🔥 🌚 🌭 💯 🤣 ⚡ 🍌 🏆 💔 🤨 😐 🍓 🍾 💋 🖕 😈 😴 😭 🤓 👻 👨‍💻 👀 🎃 🙈 😇 😨 🤝 ✍ 🤗 🫡 🎅 🎄 ☃ 💅 🤪 🗿 🆒 💘 🙉 🦄 😘 💊 🙊 😎 👾 🤷‍♂ 🤷 🤷‍♀ 😡".split(
    " ",
  ),
);

const reaction = z.union(
  [
    z.object({
      type: z.literal("emoji"),
      emoji: z.string().refine((emoji) => EMOJI.has(emoji), "REACTION_INVALID"),
    }),
    z.object({ type: z.literal("custom_emoji"), custom_emoji_id: z.string() }),
  ],
  { error: "REACTION_INVALID" },
);

const setMessageReaction = method(
  z.object({
    chat_id: chatId,
    message_id: messageId,
    reaction: json(z.array(reaction).max(1, "REACTIONS_TOO_MANY"), "reaction types").optional(),
    is_big: boolean.optional(),
  }),
  ({ world, bot }, parameters) => {
    const chat = chatForBot(world, bot, parameters.chat_id);
    const message = messageOf(chat, parameters.message_id, "message to react");
    react(world, chat, botAsUser(bot), message.message_id, (parameters.reaction ?? []) as ReactionType[]);
    return true;
  },
);

const inlineResult = z.looseObject({ type: z.string(), id: z.string().min(1).max(64, "RESULT_ID_INVALID") });

const answerInlineQuery = method(
  z.object({
    inline_query_id: z.coerce.string(),
    results: json(
      z
        .array(inlineResult, { error: "expected an Array of inline query results" })
        .max(MAX_INLINE_RESULTS, "RESULTS_TOO_MUCH"),
      "inline query results",
    ),
    next_offset: z.string().max(64, "NEXT_OFFSET_INVALID").optional(),
  }),
  ({ world }, { inline_query_id: id, results }) => {
    const answer = world.passing.inlineQueries.get(id);
    if (!answer) throw badRequest(TOO_OLD);
    if (new Set(results.map((result) => result.id)).size < results.length)
      throw badRequest("RESULT_ID_DUPLICATE");
    answer(structuredClone(results));
    return true;
  },
);

export const queryMethods: Readonly<Record<string, Method>> = {
  answerCallbackQuery,
  setMessageReaction,
  answerInlineQuery,
};
