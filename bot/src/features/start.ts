import { Composer, InlineKeyboard } from "grammy";
import type { MiniApp } from "../config.ts";
import type { BotContext } from "../context.ts";
import type { Conversation } from "../conversation/conversation.ts";
import { asWritten, say } from "./say.ts";

export interface StartDeps {
  readonly miniApp: MiniApp;
  readonly conversation: Conversation;
}

/** /start: who this is, who can read what, and the way to the private mode. */
export function startFeature({ miniApp, conversation }: StartDeps): Composer<BotContext> {
  const feature = new Composer<BotContext>();

  feature.command("start", async (ctx) => {
    if (ctx.chat.type !== "private") {
      return await say(ctx, ctx.t("start-group", { username: asWritten(ctx.me.username) }));
    }
    // Their session is open before they have typed their first question.
    const preparing = conversation.prepare(ctx.place, ctx.chat.id);
    const name = ctx.from ? `, ${asWritten(ctx.from.first_name)}` : "";
    const aboutMiniApp =
      miniApp.url === undefined
        ? ctx.t("start-no-miniapp", { reason: asWritten(miniApp.reason) })
        : ctx.t("start-miniapp");
    await say(
      ctx,
      `${ctx.t("start", { name })}\n\n${aboutMiniApp}`,
      miniApp.url === undefined
        ? {}
        : { reply_markup: new InlineKeyboard().webApp(ctx.t("open-miniapp"), miniApp.url) },
    );
    await preparing;
  });

  // Somebody put the bot into a group: it says how to be asked.
  feature.on("my_chat_member", async (ctx, next) => {
    const { old_chat_member: before, new_chat_member: after } = ctx.myChatMember;
    const joined = ["left", "kicked"].includes(before.status) && !["left", "kicked"].includes(after.status);
    if (!joined || ctx.chat.type === "private" || ctx.chat.type === "channel") return await next();
    await say(ctx, ctx.t("start-group", { username: asWritten(ctx.me.username) }));
  });

  return feature;
}
