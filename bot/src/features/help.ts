import { Composer } from "grammy";
import type { BotContext } from "../context.ts";
import { asWritten, say } from "./say.ts";

/** /help. */
export function helpFeature(): Composer<BotContext> {
  const feature = new Composer<BotContext>();
  feature.command("help", async (ctx) => {
    await say(ctx, ctx.t("help", { username: asWritten(ctx.me.username) }));
  });
  return feature;
}
