import { Composer } from "grammy";
import type { BotContext } from "../context.ts";
import { say } from "./say.ts";

/** /terms: what is sold, what it is worth, and when Stars go back. Telegram asks every bot that sells for it. */
export function termsFeature(): Composer<BotContext> {
  const feature = new Composer<BotContext>();
  feature.command("terms", async (ctx) => await say(ctx, ctx.t("terms")));
  return feature;
}
