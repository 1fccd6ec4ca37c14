import { Api, Context } from "grammy";
import type { Update } from "grammy/types";
import { describe, expect, it } from "vitest";
import type { BotContext } from "../context.ts";
import { loadTexts } from "../texts/texts.ts";
import { decidesForAll } from "./administrator.ts";

const group = { id: -1_000_000_000_001, type: "supergroup", title: "Silk" } as const;
const channel = { id: -1_000_000_000_002, type: "channel", title: "News" } as const;

/** Who writes in a name that is not their own looks like a bot of Telegram's to other bots. */
async function writtenAs(senderChat: typeof group | typeof channel) {
  const api = new Api("1:A");
  const asked: string[] = [];
  api.config.use(async (_, method) => {
    asked.push(method);
    return { ok: true, result: true as never };
  });
  const message = {
    message_id: 1,
    date: 0,
    chat: group,
    from: { id: 1_087_968_824, is_bot: true, first_name: "Group" },
    sender_chat: senderChat,
    text: "/new",
  };
  const bot = { id: 1, is_bot: true, first_name: "b", username: "b_bot" } as Context["me"];
  const ctx = new Context({ update_id: 1, message } as Update, api, bot) as BotContext;
  ctx.place = { chatId: group.id, threadId: 0 };
  ctx.t = loadTexts().en;
  return { decides: await decidesForAll(ctx), asked };
}

describe("who decides for a group", () => {
  it("an administrator who writes in the group's name does, without being asked for", async () => {
    expect(await writtenAs(group)).toEqual({ decides: true, asked: [] });
  });

  it("somebody who writes in a channel's name does not, and is told", async () => {
    expect(await writtenAs(channel)).toEqual({ decides: false, asked: ["sendMessage"] });
  });
});
