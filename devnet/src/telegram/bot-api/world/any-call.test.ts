import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ManualClock, startLocalBotApi } from "../local-bot-api.ts";
import { wire } from "../test-bot.ts";

const METHODS = [
  "sendMessage",
  "sendRichMessage",
  "sendMessageDraft",
  "sendRichMessageDraft",
  "editMessageText",
  "editMessageReplyMarkup",
  "deleteMessage",
  "deleteMessages",
  "sendChatAction",
  "setMyCommands",
  "setChatMenuButton",
  "createForumTopic",
  "setMessageReaction",
  "sendInvoice",
  "copyMessage",
  "forwardMessage",
  "getChat",
  "getChatMember",
  "sendPhoto",
  "getFile",
  "getUpdates",
];

const junk = fc.oneof(
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.integer({ min: -3, max: 9 }),
  fc.boolean(),
  fc.constant(null),
  fc.constantFrom("[]", "{}", "constructor", "&constructor;<constructor>", "[[", "<b>", "*a", "😀", "\ud83d"),
  fc.array(fc.object({ maxDepth: 1, maxKeys: 2 }), { maxLength: 2 }),
);
const fields = fc.record(
  Object.fromEntries(
    [
      "text",
      "message_id",
      "draft_id",
      "message_ids",
      "rich_message",
      "entities",
      "parse_mode",
      "reply_markup",
      "reply_parameters",
      "message_thread_id",
      "commands",
      "menu_button",
      "reaction",
      "prices",
      "photo",
      "file_id",
      "scope",
      "name",
      "action",
      "offset",
      "user_id",
    ].map((name) => [name, junk]),
  ),
  { requiredKeys: [] },
);

describe("whatever a bot sends", () => {
  it("is answered or refused as Telegram would, and the chat stays in order", async () => {
    await using api = await startLocalBotApi({ clock: new ManualClock(), limits: "off" });
    const bot = await api.telegram.createBot({ username: "any_bot", topics: true });
    const ada = await api.telegram.createPerson();
    const seat = await ada.start(bot);
    const ask = wire(api, bot);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...METHODS), fields, async (method, payload) => {
        const reply = await ask(method, { chat_id: ada.id, from_chat_id: ada.id, ...payload });
        if (!reply.ok) {
          expect([400, 403]).toContain(reply.error_code);
          expect(reply.description).toMatch(/^(Bad Request|Forbidden): \S/);
        }
        const ids = seat.chat.messages.map(({ message_id }) => message_id);
        expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
      }),
      { numRuns: 400 },
    );
  }, 15_000);

  it("does not hold up the numbers of updates", async () => {
    await using api = await startLocalBotApi();
    const bot = await api.telegram.createBot();
    const seat = (await api.telegram.createPerson()).privateChat(bot);
    const ask = wire(api, bot);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom("send", "fetch", "confirm"), { maxLength: 12 }),
        async (steps) => {
          for (const step of steps) {
            if (step === "send") await seat.send("hi");
            const waiting = bot.pending.map(({ update_id }) => update_id);
            const offset = step === "confirm" ? (waiting[0] ?? 0) + 1 : 0;
            if (step !== "send") {
              const { result } = await ask("getUpdates", { offset });
              const ids = (result as { update_id: number }[]).map(({ update_id }) => update_id);
              expect(ids).toEqual(step === "confirm" ? waiting.slice(1) : waiting);
              for (const [index, id] of ids.entries()) expect(id).toBe(ids[0]! + index);
            }
          }
        },
      ),
      { numRuns: 20 },
    );
  });
});
