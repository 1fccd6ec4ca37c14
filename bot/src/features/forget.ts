import { Composer } from "grammy";
import type { BotContext } from "../context.ts";
import type { Store } from "../store/open-store.ts";
import { say } from "./say.ts";

/** /forget erases the conversation now; whoever blocks or removes the bot is forgotten whole. */
export function forgetFeature({ store }: { store: Store }): Composer<BotContext> {
  const feature = new Composer<BotContext>();

  feature.command("forget", async (ctx) => {
    const turns = await store.turns.erase(ctx.place);
    await store.sweep();
    await say(ctx, ctx.t("forget-done", { turns }));
  });

  feature.on("my_chat_member", async (ctx) => {
    if (["left", "kicked"].includes(ctx.myChatMember.new_chat_member.status)) {
      await store.eraseChat(ctx.chat.id);
    }
  });

  return feature;
}
