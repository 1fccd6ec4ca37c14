import { sequentialize } from "@grammyjs/runner";
import { Composer } from "grammy";
import type { Message } from "grammy/types";
import type { BotContext } from "../context.ts";
import { placeKey } from "../conversation/running-answers.ts";
import { isForBot } from "../features/question.ts";
import { say } from "../features/say.ts";

/** Messages of one chat or topic that wait behind its running answer; more are refused. */
const mostWaiting = 4;

/**
 * One thing after the other in each chat or topic, so that a conversation stays in order. What must not wait stands
 * before this in bot.ts.
 */
export function waitingLine(): Composer<BotContext> {
  const line = new Composer<BotContext>();
  const waiting = new Map<string, number>();
  /** Whoever floods is told once until their line is empty. */
  const told = new Set<string>();
  line.use(async (ctx, next) => {
    // People's talk in a group makes no work, so it neither counts nor is refused.
    if (ctx.message !== undefined && !makesWork(ctx, ctx.message)) return await next();
    const key = placeKey(ctx.place);
    const ahead = waiting.get(key) ?? 0;
    if (ctx.callbackQuery?.data?.startsWith("retry:") && ahead > 0) {
      await ctx.answerCallbackQuery({ text: ctx.t("retry-busy") });
      return;
    }
    if (ahead > mostWaiting && ctx.message !== undefined) {
      if (told.has(key)) return;
      told.add(key);
      return await say(ctx, ctx.t("queue-full"));
    }
    waiting.set(key, ahead + 1);
    try {
      await next();
    } finally {
      const left = (waiting.get(key) ?? 1) - 1;
      if (left > 0) waiting.set(key, left);
      else {
        waiting.delete(key);
        told.delete(key);
      }
    }
  });
  line.use(sequentialize((ctx: BotContext) => placeKey(ctx.place)));
  return line;
}

const makesWork = (ctx: BotContext, message: Message): boolean =>
  isForBot(ctx, message) ||
  (message.entities ?? []).some(({ type, offset }) => type === "bot_command" && offset === 0);
