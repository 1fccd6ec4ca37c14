import { Composer } from "grammy";
import type { MiniApp } from "../config.ts";
import type { BotContext } from "../context.ts";
import { menuButton } from "./profile.ts";

/** So many chats are remembered as told; forgetting one costs a call. */
const mostRemembered = 10_000;

/**
 * Telegram keeps one menu button for everybody, in one language: whoever reads another one gets their own, at /start
 * and, since the Mini App may have moved, with the first thing that they write after the bot's start.
 */
export function menuButtonFeature({ miniApp }: { miniApp: MiniApp }): Composer<BotContext> {
  const feature = new Composer<BotContext>();
  const told = new Set<number>();

  feature.on("message").chatType("private", async (ctx, next) => {
    const isStart = ctx.hasCommand("start");
    const isEverybodys = ctx.language === "en";
    if (isStart || !(isEverybodys || told.has(ctx.chat.id))) {
      if (told.size >= mostRemembered) told.clear();
      told.add(ctx.chat.id);
      const button = isEverybodys ? ({ type: "default" } as const) : menuButton(ctx.t, miniApp);
      // Nobody's question waits for it, or is lost by it.
      ctx.api.setChatMenuButton({ chat_id: ctx.chat.id, menu_button: button }).catch(() => {
        told.delete(ctx.chat.id);
      });
    }
    await next();
  });

  return feature;
}
