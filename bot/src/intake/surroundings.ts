import type { Context, MiddlewareFn } from "grammy";
import type { BotContext } from "../context.ts";
import { isPayment } from "../money/is-payment.ts";
import type { Place } from "../store/turns.ts";
import { type Language, languageOf, type Translate } from "../texts/texts.ts";

/** Fills in where something happens and in which language; what happens nowhere, or comes from another bot, ends here. */
export function surroundings(texts: Readonly<Record<Language, Translate>>): MiddlewareFn<BotContext> {
  return async (ctx, next) => {
    const place = placeOf(ctx);
    // Another bot that answers ours would never stop. An anonymous administrator also looks like a bot.
    const fromBot = ctx.from?.is_bot === true && ctx.msg?.sender_chat === undefined && !ctx.callbackQuery;
    // That Stars went back may be said in the bot's own name.
    if (place === undefined || (fromBot && ctx.message && !isPayment(ctx.update))) return;
    ctx.place = place;
    ctx.language = languageOf(ctx.from?.language_code ?? undefined);
    ctx.t = texts[ctx.language];
    await next();
  };
}

/** A message's thread counts where it is a topic: in other groups it is only a chain of replies. */
export function placeOf(ctx: Context): Place | undefined {
  const stopped = ctx.stoppedMessageGeneration;
  if (stopped) return { chatId: stopped.chat.id, threadId: stopped.message_thread_id ?? 0 };
  // A payment is made nowhere: what there is to say of it belongs in the private chat.
  if (ctx.preCheckoutQuery) return { chatId: ctx.preCheckoutQuery.from.id, threadId: 0 };
  if (ctx.chat === undefined) return undefined;
  const message = ctx.msg;
  const isTopic = message?.is_topic_message === true || ctx.chat.type === "private";
  return { chatId: ctx.chat.id, threadId: (isTopic && message?.message_thread_id) || 0 };
}
