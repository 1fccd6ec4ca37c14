import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type BotAccount,
  CallbackExpired,
  type LocalBotApi,
  ManualClock,
  type Person,
  type Seat,
  startLocalBotApi,
  TELEGRAM_LIMITS,
} from "../local-bot-api.ts";
import { type Reply, wire } from "../test-bot.ts";

let clock: ManualClock;
let api: LocalBotApi;
let bot: BotAccount;
let ada: Person;
let seat: Seat;
let ask: (method: string, payload?: object) => Promise<Reply>;

beforeEach(async () => {
  clock = new ManualClock();
  api = await startLocalBotApi({ clock });
  bot = await api.telegram.createBot({ username: "echo_bot" });
  ada = await api.telegram.createPerson();
  seat = await ada.start(bot);
  ask = wire(api, bot);
});
afterEach(() => api.close());

const draft = (fields: object = {}) =>
  ask("sendMessageDraft", { chat_id: ada.id, draft_id: 1, text: "so", ...fields });

describe("flood control", () => {
  const send = (chat_id = seat.chat.id) => ask("sendMessage", { chat_id, text: "x" });

  it("lets a short burst through, then one message a second in a chat", async () => {
    for (let sent = 0; sent < TELEGRAM_LIMITS.perChatBurst; sent += 1) expect((await send()).ok).toBe(true);
    expect(await send()).toEqual({
      ok: false,
      error_code: 429,
      description: "Too Many Requests: retry after 1",
      parameters: { retry_after: 1 },
    });
    clock.advance(1_000);
    expect((await send()).ok).toBe(true);
    expect((await send()).error_code).toBe(429);
  });

  it("lets 20 messages a minute into a group", async () => {
    const group = await api.telegram.createGroup({ members: [ada, bot] });
    for (let sent = 0; sent < TELEGRAM_LIMITS.perGroupPerMinute; sent += 1) {
      clock.advance(1_000);
      expect((await send(group.id)).ok).toBe(true);
    }
    clock.advance(1_000);
    const refused = await send(group.id);
    // The first of them leaves the minute in 40 s.
    expect(refused.parameters).toEqual({ retry_after: 40 });
    clock.advance(40_000);
    expect((await send(group.id)).ok).toBe(true);
  });

  it("lets 30 messages a second out in all", async () => {
    const chats = await Promise.all(
      Array.from({ length: TELEGRAM_LIMITS.perBotPerSecond + 1 }, async () => {
        const person = await api.telegram.createPerson();
        await person.start(bot);
        return person.id;
      }),
    );
    const answers = await Promise.all(chats.map((id) => send(id)));
    expect(answers.filter(({ ok }) => !ok).map(({ error_code }) => error_code)).toEqual([429]);
  });

  it("has a milder limit for drafts", async () => {
    for (let sent = 0; sent < TELEGRAM_LIMITS.draftBurst; sent += 1) expect((await draft()).ok).toBe(true);
    expect((await draft()).error_code).toBe(429);
    clock.advance(TELEGRAM_LIMITS.draftIntervalMs);
    expect((await draft()).ok).toBe(true);
    // They do not count as messages.
    expect((await send()).ok).toBe(true);
  });
});

describe("a draft", () => {
  it("vanishes 30 s after it was sent last", async () => {
    await draft();
    clock.advance(29_000);
    await draft({ text: "so far" });
    clock.advance(29_999);
    expect(seat.chat.drafts.map(({ text }) => text)).toEqual(["so far"]);
    clock.advance(1);
    expect(seat.chat.drafts).toEqual([]);
  });

  it("shows that the bot is thinking while it is empty", async () => {
    await draft({ text: "" });
    expect(seat.chat.drafts).toMatchObject([{ isThinking: true, text: "" }]);
    await draft({ text: "so" });
    expect(seat.chat.drafts).toMatchObject([{ isThinking: false, text: "so" }]);
  });

  it("gives way to a message, and to another draft", async () => {
    await draft();
    await draft({ draft_id: 2 });
    expect(seat.chat.drafts.map(({ draftId }) => draftId)).toEqual([2]);
    await ask("sendMessage", { chat_id: ada.id, text: "done" });
    expect(seat.chat.drafts).toEqual([]);
  });

  it("that is stopped goes, and what is still sent of it is not shown", async () => {
    await draft({ can_stop: true });
    await seat.stop();
    expect(seat.chat.drafts).toEqual([]);
    expect(bot.pending.at(-1)?.stopped_message_generation).toMatchObject({
      draft_id: 1,
      chat: { id: ada.id },
    });
    expect((await draft({ can_stop: true, text: "so on" })).ok).toBe(true);
    expect(seat.chat.drafts).toEqual([]);
    // A message ends the answer; the next one may have the same draft id.
    await ask("sendMessage", { chat_id: ada.id, text: "so (stopped)" });
    await draft({ text: "well" });
    expect(seat.chat.drafts).toMatchObject([{ text: "well", isStopped: false }]);
  });

  it("that is stopped stays as it is when the bot asked for that", async () => {
    await draft({ can_stop: true, keep_on_stop: true });
    await seat.stop();
    await draft({ text: "so on" });
    expect(seat.chat.drafts).toMatchObject([{ text: "so", isStopped: true }]);
    await expect(seat.stop()).rejects.toThrow(/Stop button/);
  });

  it("without can_stop has no button to press", async () => {
    await draft();
    await expect(seat.stop()).rejects.toThrow(/can_stop/);
  });
});

describe("a pressed button", () => {
  const keyboard = { inline_keyboard: [[{ text: "Yes", callback_data: "yes" }]] };

  it("shows what the bot answers", async () => {
    await ask("sendMessage", { chat_id: ada.id, text: "sure?", reply_markup: keyboard });
    const pressed = seat.press(2, "Yes");
    const query = await seat.chat.until(() => bot.pending.at(-1)?.callback_query);
    expect(query).toMatchObject({
      data: "yes",
      from: { id: ada.id },
      message: { message_id: 2, text: "sure?" },
    });
    await ask("answerCallbackQuery", { callback_query_id: query.id, text: "Noted", show_alert: true });
    expect(await pressed).toEqual({ kind: "answered", text: "Noted", showAlert: true });
    expect((await ask("answerCallbackQuery", { callback_query_id: query.id })).description).toContain(
      "query is too old",
    );
  });

  it("that nobody answers gives up after 15 s", async () => {
    await ask("sendMessage", { chat_id: ada.id, text: "sure?", reply_markup: keyboard });
    const pressed = seat.press(2, [0, 0]);
    await seat.chat.until(() => bot.pending.at(-1)?.callback_query);
    clock.advance(15_000);
    await expect(pressed).rejects.toThrow(CallbackExpired);
  });

  it("that is not there is named with those that are", async () => {
    await ask("sendMessage", { chat_id: ada.id, text: "sure?", reply_markup: keyboard });
    await expect(seat.press(2, "No")).rejects.toThrow('it has "Yes"');
  });
});

it("a chat action ends after 5 s, or with a message", async () => {
  await ask("sendChatAction", { chat_id: ada.id, action: "typing" });
  clock.advance(4_999);
  expect(seat.chat.action).toBe("typing");
  clock.advance(1);
  expect(seat.chat.action).toBeUndefined();
  await ask("sendChatAction", { chat_id: ada.id, action: "typing" });
  await ask("sendMessage", { chat_id: ada.id, text: "here" });
  expect(seat.chat.action).toBeUndefined();
});
