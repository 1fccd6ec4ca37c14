import { Composer } from "grammy";
import type { BotContext } from "../context.ts";
import { say } from "./say.ts";

/** /privacy: who can read what, without a nicer word for it (PROTOCOL.md §1 and §12). */
export function privacyFeature({ historyMs }: { historyMs: number }): Composer<BotContext> {
  const feature = new Composer<BotContext>();
  feature.command("privacy", async (ctx) => {
    await say(ctx, ctx.t("privacy", { hours: Math.round(historyMs / 3_600_000) }));
  });
  return feature;
}
