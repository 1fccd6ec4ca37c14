import { Composer, Context } from "grammy";
import type { BotContext } from "../context.ts";
import { placeOf } from "../intake/surroundings.ts";
import type { Store } from "../store/open-store.ts";
import { say } from "./say.ts";

/** /forget erases the conversation now; whoever blocks or removes the bot is forgotten whole. */
export function forgetFeature({ store }: { store: Store }): Composer<BotContext> {
  const feature = new Composer<BotContext>();

  feature.command("forget", async (ctx) => {
    // Also the answer that Telegram has not taken yet, and the question that waits to be tried again.
    const turns = await store.together(async (tables) => {
      await tables.outbox.erase(ctx.place);
      return await tables.turns.erase(ctx.place);
    });
    await store.updates.eraseBefore(ctx.update.update_id, (update) => {
      const place = placeOf(new Context(update, ctx.api, ctx.me));
      return place?.chatId === ctx.place.chatId && place.threadId === ctx.place.threadId;
    });
    await store.sweep();
    await say(ctx, ctx.t("forget-done", { turns }));
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
