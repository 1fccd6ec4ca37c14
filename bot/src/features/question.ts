import { Composer } from "grammy";
import type { Message } from "grammy/types";
import type { BotContext } from "../context.ts";
import type { Conversation } from "../conversation/conversation.ts";
import { say } from "./say.ts";

/** Quoted words that go with a question; a whole essay would leave no room for the answer. */
const mostQuoted = 2_000;

/** What people write: everything in private, in groups what is meant for the bot. /ask says so as a command. */
export function questionFeature({ conversation }: { conversation: Conversation }): Composer<BotContext> {
  const feature = new Composer<BotContext>();

  const ask = async (ctx: BotContext, message: Message, words: string) => {
    const userId = ctx.from?.id;
    if (userId === undefined) return;
    await conversation.ask({
      ...ctx.place,
      userId,
      questionId: message.message_id,
      language: ctx.language,
      question: withQuote(message, words, ctx.me.id),
    });
  };

  feature.command("ask", async (ctx) => {
    if (ctx.match.trim() === "") return await say(ctx, ctx.t("ask-usage"));
    if (ctx.message) await ask(ctx, ctx.message, ctx.match.trim());
  });

  feature.on("message:text", async (ctx) => {
    if (!isForBot(ctx, ctx.message)) return;
    const words = withoutMention(ctx.message.text, ctx.me.username);
    if (words === "") return await say(ctx, ctx.t("ask-usage"));
    await ask(ctx, ctx.message, words);
  });

  return feature;
}

/** In groups: a mention, or a reply to the bot. Other bots' commands and people's talk are none of its business. */
export function isForBot(ctx: BotContext, message: Message): boolean {
  if (ctx.chat?.type === "private") return true;
  if (
    message.reply_to_message?.from?.id === ctx.me.id &&
    message.reply_to_message.forum_topic_created === undefined
  ) {
    return true;
  }
  const text = message.text ?? message.caption ?? "";
  const entities = message.entities ?? message.caption_entities ?? [];
  return entities.some(({ type, offset, length, ...entity }) => {
    if (type === "text_mention") return "user" in entity && entity.user.id === ctx.me.id;
    if (type !== "mention") return false;
    return text.slice(offset, offset + length).toLowerCase() === `@${ctx.me.username.toLowerCase()}`;
  });
}

const withoutMention = (text: string, username: string): string =>
  text.replaceAll(new RegExp(`@${username}\\b[,:]?`, "gi"), "").trim();

/** A reply to somebody else's words is a question about them. */
function withQuote(message: Message, words: string, botId: number): string {
  const replied = message.reply_to_message;
  const quoted =
    message.quote?.text ?? (replied?.from?.id === botId ? undefined : (replied?.text ?? replied?.caption));
  if (!quoted) return words;
  const lines = quoted.slice(0, mostQuoted).toWellFormed().split("\n");
  return `${lines.map((line) => `> ${line}`).join("\n")}\n\n${words}`;
}
