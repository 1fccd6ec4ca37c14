import { expect, it } from "vitest";
import { startLocalBotApi, type TelegramSnapshot } from "../../../../telegram/bot-api/local-bot-api.ts";
import { applyEvent } from "./apply-event.ts";

it("draws from events what a new snapshot would show", async () => {
  await using api = await startLocalBotApi({ limits: "off" });
  const { telegram } = api;
  const bot = await telegram.createBot({ username: "silk_bot" });
  let drawn: TelegramSnapshot = telegram.snapshot();
  telegram.on((event) => {
    drawn = applyEvent(drawn, structuredClone(event));
  });
  const call = async (method: string, payload: object): Promise<void> => {
    const response = await fetch(`${api.url}/bot${bot.token}/${method}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(payload),
    });
    expect(await response.json()).toMatchObject({ ok: true });
  };

  const ada = await telegram.createPerson({ firstName: "Ada" });
  const seat = await ada.start(bot);
  await seat.send("Hello");
  await call("sendChatAction", { chat_id: ada.id, action: "typing" });
  await call("sendMessageDraft", { chat_id: ada.id, draft_id: 7, text: "Well", can_stop: true });
  expect(drawn).toEqual(telegram.snapshot());
  expect(drawn.chats[0]?.drafts).toHaveLength(1);
  await call("sendMessage", { chat_id: ada.id, text: "Well, hello" });
  await call("editMessageText", { chat_id: ada.id, message_id: 3, text: "Hello, Ada" });
  await call("setMyCommands", { commands: [{ command: "new", description: "Anew" }] });
  await telegram.createGroup({ title: "Weavers", members: [ada, bot] });
  expect(drawn).toEqual(telegram.snapshot());
  await call("deleteMessage", { chat_id: ada.id, message_id: 3 });
  expect(drawn).toEqual(telegram.snapshot());
  expect(drawn.chats[0]?.messages.map(({ text }) => text)).toEqual(["/start", "Hello"]);
});

it("takes an event that the snapshot includes for what it is: old", () => {
  const world: TelegramSnapshot = { eventId: 5, bots: [], persons: [], chats: [] };
  const event = { id: 5, at: 0, type: "messages_deleted", chat: "x", messageIds: [1] } as const;
  expect(applyEvent(world, event)).toBe(world);
});
