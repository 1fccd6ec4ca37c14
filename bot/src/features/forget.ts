import { Composer, Context } from "grammy";
import type { BotContext } from "../context.ts";
import { placeOf } from "../intake/surroundings.ts";
import type { Store } from "../store/open-store.ts";
import { decidesForAll } from "./administrator.ts";
import { say } from "./say.ts";

/** What a group's administrator writes behind /forget to erase everybody's, in each language. */
const everything = new Set(["all", "всё", "все"]);

/**
 * /forget erases now: in private the conversation, in a group what its sender asked and the answers to it; the whole
 * of it is for an administrator to erase. Whoever blocks or removes the bot is forgotten whole.
 */
export function forgetFeature({ store }: { store: Store }): Composer<BotContext> {
  const feature = new Composer<BotContext>();

  /** @param userId whose questions; everybody's when left out */
  const erase = async (ctx: BotContext, userId?: number): Promise<number> => {
    // Also the answer that Telegram has not taken yet, and the question that waits to be tried again.
    const turns = await store.together(async (tables) => {
      await tables.outbox.erase(ctx.place, userId);
      return await tables.turns.erase(ctx.place, userId);
    });
    await store.updates.eraseBefore(ctx.update.update_id, (update) => {
      const earlier = new Context(update, ctx.api, ctx.me);
      const place = placeOf(earlier);
      return (
        place?.chatId === ctx.place.chatId &&
        place.threadId === ctx.place.threadId &&
        (userId === undefined || earlier.from?.id === userId)
      );
    });
    await store.sweep();
    return turns;
  };

  feature.command("forget", async (ctx) => {
    if (ctx.chat.type === "private") return await say(ctx, ctx.t("forget-done", { turns: await erase(ctx) }));
    if (everything.has(ctx.match.trim().toLowerCase())) {
      if (!(await decidesForAll(ctx))) return;
      return await say(ctx, ctx.t("forget-done", { turns: await erase(ctx) }));
    }
    // Telegram gives everybody who writes in some channel's name the same number.
    const inChannelsName = ctx.msg.sender_chat !== undefined && ctx.msg.sender_chat.id !== ctx.chat.id;
    if (ctx.from === undefined || inChannelsName) return await say(ctx, ctx.t("forget-nameless"));
    await say(ctx, ctx.t("forget-own-done", { turns: await erase(ctx, ctx.from.id) }));
  });

  feature.on("my_chat_member", async (ctx) => {
    if (["left", "kicked"].includes(ctx.myChatMember.new_chat_member.status)) {
      await store.updates.eraseBefore(
        ctx.update.update_id,
        (update) => placeOf(new Context(update, ctx.api, ctx.me))?.chatId === ctx.chat.id,
      );
      await store.eraseChat(ctx.chat.id);
    }
  });

  return feature;
}
