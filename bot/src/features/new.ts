import { Composer } from "grammy";
import type { BotContext } from "../context.ts";
import type { Store } from "../store/open-store.ts";
import { decidesForAll } from "./administrator.ts";
import { say } from "./say.ts";

/** /new: what was said before is not sent to a model again, so it is erased. A group's conversation is everybody's. */
export function newFeature({ store }: { store: Store }): Composer<BotContext> {
  const feature = new Composer<BotContext>();
  feature.command("new", async (ctx) => {
    if (!(await decidesForAll(ctx))) return;
    await store.turns.erase(ctx.place);
    await store.sweep();
    await say(ctx, ctx.t("new-done"));
  });
  return feature;
}
