import { GrammyError } from "grammy";
import type { BotContext } from "../context.ts";
import { say } from "./say.ts";

/**
 * Whether who wrote this decides for everybody who shares the conversation: in private they are everybody, in a group
 * its administrators are asked of Telegram each time. Whoever does not is told; so are all when Telegram does not say.
 */
export async function decidesForAll(ctx: BotContext): Promise<boolean> {
  const isAdministrator = await administers(ctx);
  if (isAdministrator !== true)
    await say(ctx, ctx.t(isAdministrator === undefined ? "administrators-unknown" : "administrators-only"));
  return isAdministrator === true;
}

/** @returns undefined when Telegram does not say. @throws what is worth trying again later */
async function administers(ctx: BotContext): Promise<boolean | undefined> {
  if (ctx.chat?.type === "private") return true;
  // In the group's own name only its administrators write; who writes in a channel's name, nobody says.
  if (ctx.msg?.sender_chat !== undefined) return ctx.msg.sender_chat.id === ctx.chat?.id;
  try {
    const { status } = await ctx.getAuthor();
    return status === "creator" || status === "administrator";
  } catch (error) {
    const isRefused = error instanceof GrammyError && [400, 403].includes(error.error_code);
    if (!isRefused) throw error;
    return undefined;
  }
}
