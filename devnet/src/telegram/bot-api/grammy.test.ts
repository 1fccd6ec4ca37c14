import { Bot } from "grammy";
import { afterEach, describe, expect, it } from "vitest";
import { type LocalBotApi, startLocalBotApi } from "./local-bot-api.ts";

let api: LocalBotApi;
const stops: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
  await api.close();
});

async function pollingBot(setUp: (bot: Bot) => void) {
  api = await startLocalBotApi();
  const account = await api.telegram.createBot({ username: "echo_bot" });
  const bot = new Bot(account.token, { client: { apiRoot: api.url } });
  setUp(bot);
  const running = bot.start();
  stops.push(async () => {
    await bot.stop();
    await running;
  });
  return account;
}

describe("a grammY bot that polls", () => {
  it("hears a command and answers it", async () => {
    const account = await pollingBot((bot) =>
      bot.command("start", (context) => context.reply(`Hello, ${context.from?.first_name}`)),
    );
    const ada = await api.telegram.createPerson({ firstName: "Ada" });
    const seat = await ada.start(account);
    const answer = await seat.chat.until(({ lastFromBot }) => lastFromBot);
    expect(answer.text).toBe("Hello, Ada");
    expect(seat.chat.messages.map(({ text }) => text)).toEqual(["/start", "Hello, Ada"]);
  });

  it("streams a draft whose Stop button it hears", async () => {
    const account = await pollingBot((bot) => {
      bot.on("message", (context) =>
        context.api.raw.sendMessageDraft({
          chat_id: context.chat.id,
          draft_id: 7,
          text: "thinking alo",
          can_stop: true,
        }),
      );
      bot.on("stopped_message_generation", (context) =>
        context.api.sendMessage(context.update.stopped_message_generation.chat.id, "stopped"),
      );
    });
    const seat = (await api.telegram.createPerson()).privateChat(account);
    await seat.send("hi");
    const [draft] = await seat.chat.until(({ drafts }) => drafts.length > 0 && drafts);
    expect(draft).toMatchObject({ draftId: 7, text: "thinking alo", canStop: true });
    await seat.stop();
    expect(seat.chat.drafts).toEqual([]);
    const answer = await seat.chat.until(({ lastFromBot }) => lastFromBot);
    expect(answer.text).toBe("stopped");
  });
});
