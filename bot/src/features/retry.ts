import { Composer } from "grammy";
import type { BotContext } from "../context.ts";
import type { Conversation } from "../conversation/conversation.ts";
import type { Store } from "../store/open-store.ts";

export interface RetryDeps {
  readonly conversation: Conversation;
  readonly store: Store;
}

/** The button under an answer: the latest question is asked again. */
export function retryFeature({ conversation, store }: RetryDeps): Composer<BotContext> {
  const feature = new Composer<BotContext>();
  feature.callbackQuery(/^retry:(.+)$/, async (ctx) => {
    const refuse = (id: string) => ctx.answerCallbackQuery({ text: ctx.t(id), show_alert: true });
    const turn = await store.turns.find(ctx.match[1] ?? "");
    // A forwarded button, or one of a forgotten conversation.
    if (turn === undefined || turn.chatId !== ctx.place.chatId) return await refuse("retry-gone");
    if (turn.userId !== ctx.from.id) return await refuse("retry-not-yours");
    if ((await store.turns.last(turn))?.id !== turn.id) return await refuse("retry-old");
    // The old answer keeps its words and loses its button; neither is worth failing for.
    await ctx.answerCallbackQuery().catch(() => undefined);
    await ctx.editMessageReplyMarkup().catch(() => undefined);
    await conversation.retry({ ...turn, language: ctx.language });
  });
  return feature;
}
