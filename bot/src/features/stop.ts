import { Composer } from "grammy";
import type { BotContext } from "../context.ts";
import type { RunningAnswers } from "../conversation/running-answers.ts";
import { say } from "./say.ts";

/**
 * Every way to end an answer: Telegram's Stop button on a draft, the button under a growing message in a group, and
 * /stop. /forget of who asked ends it too, and /new in private; then, and from anybody else, they wait for their turn.
 */
export function stopFeature({ running }: { running: RunningAnswers }): Composer<BotContext> {
  const feature = new Composer<BotContext>();

  feature.on("stopped_message_generation", (ctx) => {
    const answer = running.at(ctx.place);
    if (answer?.draftId === ctx.stoppedMessageGeneration.draft_id) running.stop(answer);
  });

  feature.callbackQuery(/^stop:(.+)$/, async (ctx) => {
    const answer = running.at(ctx.place);
    if (answer === undefined || answer.turnId !== ctx.match[1]) {
      return await ctx.answerCallbackQuery({ text: ctx.t("stop-nothing") });
    }
    if (answer.userId !== ctx.from.id) {
      return await ctx.answerCallbackQuery({ text: ctx.t("stop-not-yours"), show_alert: true });
    }
    running.stop(answer);
    await ctx.answerCallbackQuery({ text: ctx.t("stop-done") });
  });

  feature.command("stop", async (ctx) => {
    const answer = running.at(ctx.place);
    if (answer === undefined) return await say(ctx, ctx.t("stop-nothing"));
    if (answer.userId !== ctx.from?.id) return await say(ctx, ctx.t("stop-not-yours"));
    running.stop(answer);
  });

  feature.command(["new", "forget"], async (ctx, next) => {
    // In a group /new may be refused, and another's answer is not theirs to end: the command waits for it.
    const answer = ctx.hasCommand("new") && ctx.chat.type !== "private" ? undefined : running.at(ctx.place);
    if (answer !== undefined && answer.userId === ctx.from?.id) running.stop(answer);
    await next();
  });

  return feature;
}
