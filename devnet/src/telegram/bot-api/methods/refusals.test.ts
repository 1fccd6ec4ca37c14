import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type BotAccount,
  type Group,
  type LocalBotApi,
  type Person,
  startLocalBotApi,
} from "../local-bot-api.ts";
import { type Reply, wire } from "../test-bot.ts";

let api: LocalBotApi;
let bot: BotAccount;
let ada: Person;
let group: Group;
let ask: (method: string, payload?: object) => Promise<Reply>;

beforeAll(async () => {
  api = await startLocalBotApi({ limits: "off" });
  bot = await api.telegram.createBot({ username: "echo_bot", topics: true });
  ada = await api.telegram.createPerson();
  await ada.start(bot);
  group = await api.telegram.createGroup({ members: [ada, bot] });
  ask = wire(api, bot);
});
afterAll(() => api.close());

const button = (fields: object) => ({ inline_keyboard: [[{ text: "Go", ...fields }]] });
const send = (fields: object) => ({ chat_id: ada.id, text: "x", ...fields });

describe("a refusal is told in Telegram's words", () => {
  it.each<[string, () => object, number, string]>([
    ["sendMessage", () => ({ text: "x" }), 400, "Bad Request: chat_id is empty"],
    ["sendMessage", () => send({ text: "" }), 400, "Bad Request: message text is empty"],
    ["sendMessage", () => send({ text: " \n " }), 400, "Bad Request: text must be non-empty"],
    ["sendMessage", () => send({ text: "a".repeat(4_097) }), 400, "Bad Request: message is too long"],
    ["sendMessage", () => send({ chat_id: 42 }), 400, "Bad Request: chat not found"],
    ["sendMessage", () => send({ chat_id: "@nobody" }), 400, "Bad Request: chat not found"],
    ["sendMessage", () => send({ parse_mode: "Bold" }), 400, "Bad Request: unsupported parse_mode"],
    ["sendMessage", () => send({ message_thread_id: 999 }), 400, "Bad Request: message thread not found"],
    [
      "sendMessage",
      () => send({ reply_parameters: { message_id: 999 } }),
      400,
      "Bad Request: message to be replied not found",
    ],
    [
      "sendMessage",
      () => send({ reply_markup: "{" }),
      400,
      "Bad Request: can't parse reply keyboard markup JSON object",
    ],
    [
      "sendMessage",
      () => send({ reply_markup: button({ callback_data: "d".repeat(65) }) }),
      400,
      "Bad Request: BUTTON_DATA_INVALID",
    ],
    [
      "sendMessage",
      () => send({ reply_markup: button({ callback_data: "ё".repeat(33) }) }),
      400,
      "Bad Request: BUTTON_DATA_INVALID",
    ],
    [
      "sendMessage",
      () => send({ reply_markup: button({}) }),
      400,
      "Bad Request: text buttons are unallowed in the inline keyboard",
    ],
    [
      "sendMessage",
      () => send({ reply_markup: button({ url: "javascript:alert(1)" }) }),
      400,
      "Bad Request: BUTTON_URL_INVALID",
    ],
    [
      "sendMessage",
      () => send({ reply_markup: button({ web_app: { url: "http://app.example" } }) }),
      400,
      "Bad Request: inline keyboard button 'Go' Web App URL 'http://app.example' is invalid: Only HTTPS links are allowed",
    ],
    [
      "sendMessage",
      () => send({ chat_id: group.id, reply_markup: button({ web_app: { url: "https://app.example" } }) }),
      400,
      "Bad Request: BUTTON_TYPE_INVALID",
    ],
    [
      "sendMessage",
      () =>
        send({
          reply_markup: {
            inline_keyboard: Array.from({ length: 101 }, () => [{ text: "a", callback_data: "b" }]),
          },
        }),
      400,
      "Bad Request: reply markup is too long",
    ],
    ["editMessageText", () => send({ message_id: 999 }), 400, "Bad Request: message to edit not found"],
    ["editMessageText", () => send({ message_id: 1 }), 400, "Bad Request: message can't be edited"],
    [
      "deleteMessage",
      () => ({ chat_id: ada.id, message_id: 999 }),
      400,
      "Bad Request: message to delete not found",
    ],
    ["sendMessageDraft", () => send({ draft_id: 0 }), 400, "Bad Request: RANDOM_ID_INVALID"],
    [
      "sendMessageDraft",
      () => send({ chat_id: group.id, draft_id: 1 }),
      400,
      "Bad Request: TEXTDRAFT_PEER_INVALID",
    ],
    [
      "sendRichMessage",
      () => ({ chat_id: ada.id, rich_message: {} }),
      400,
      "Bad Request: rich message must be non-empty",
    ],
    [
      "sendRichMessage",
      () => ({ chat_id: ada.id, rich_message: { markdown: "a", html: "b" } }),
      400,
      "Bad Request: exactly one of the fields html, markdown, or blocks must be used",
    ],
    [
      "sendChatAction",
      () => ({ chat_id: ada.id, action: "dancing" }),
      400,
      "Bad Request: wrong parameter action in request",
    ],
    [
      "answerCallbackQuery",
      () => ({ callback_query_id: "1" }),
      400,
      "Bad Request: query is too old and response timeout expired or query ID is invalid",
    ],
    [
      "setMyCommands",
      () => ({ commands: [{ command: "Big", description: "d" }] }),
      400,
      "Bad Request: BOT_COMMAND_INVALID",
    ],
    [
      "setChatMenuButton",
      () => ({ menu_button: { type: "web_app", text: "App", web_app: { url: "http://app.example" } } }),
      400,
      "Bad Request: menu button Web App URL 'http://app.example' is invalid: Only HTTPS links are allowed",
    ],
    [
      "setMessageReaction",
      () => ({ chat_id: ada.id, message_id: 1, reaction: [{ type: "emoji", emoji: "x" }] }),
      400,
      "Bad Request: REACTION_INVALID",
    ],
    [
      "sendPhoto",
      () => ({ chat_id: ada.id, photo: "https://evil.example/a.png" }),
      400,
      "Bad Request: failed to get HTTP URL content",
    ],
    ["sendPhoto", () => ({ chat_id: ada.id }), 400, "Bad Request: there is no photo in the request"],
    [
      "getFile",
      () => ({ file_id: "nope" }),
      400,
      "Bad Request: wrong file_id or the file is temporarily unavailable",
    ],
    [
      "createForumTopic",
      () => ({ chat_id: group.id, name: "t" }),
      400,
      "Bad Request: the chat is not a forum",
    ],
    [
      "setWebhook",
      () => ({ url: "http://bot.example" }),
      400,
      "Bad Request: bad webhook: An HTTPS URL must be provided for webhook",
    ],
    [
      "setWebhook",
      () => ({ url: "https://bot.example", secret_token: "no spaces" }),
      400,
      "Bad Request: secret token contains unallowed characters",
    ],
    [
      "sendInvoice",
      () => ({ chat_id: ada.id, title: "t", description: "d", payload: "p", currency: "XTR", prices: [] }),
      400,
      "Bad Request: there must be at least one price",
    ],
    ["noSuchMethod", () => ({}), 404, "Not Found"],
    ["sendSticker", () => ({}), 501, "Not Implemented: the local Bot API has no sendSticker"],
  ])("%s, case %#", async (method, payload, code, description) => {
    expect(await ask(method, payload())).toEqual({ ok: false, error_code: code, description });
  });

  it("a wrong token, and one that is none", async () => {
    const right = await ask("getMe");
    expect(right.ok).toBe(true);
    const wrong = wire(api, { token: `${bot.id}:${"A".repeat(35)}` });
    expect(await wrong("getMe")).toEqual({ ok: false, error_code: 401, description: "Unauthorized" });
    expect(await wire(api, { token: "secret" })("getMe")).toEqual({
      ok: false,
      error_code: 404,
      description: "Not Found",
    });
  });

  it("an edit that changes nothing, which the same edit with other buttons does not", async () => {
    const { result } = await ask("sendMessage", send({ text: "same" }));
    const message_id = (result as { message_id: number }).message_id;
    expect((await ask("editMessageText", send({ text: "same", message_id }))).description).toBe(
      "Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message",
    );
    const keyboard = button({ callback_data: "x" });
    expect(
      (await ask("editMessageText", send({ text: "same", message_id, reply_markup: keyboard }))).ok,
    ).toBe(true);
    expect((await ask("editMessageReplyMarkup", { chat_id: ada.id, message_id })).ok).toBe(true);
  });

  it("a person who has blocked the bot, until they unblock it", async () => {
    await ada.block(bot);
    expect(await ask("sendMessage", send({}))).toEqual({
      ok: false,
      error_code: 403,
      description: "Forbidden: bot was blocked by the user",
    });
    await ada.unblock(bot);
    expect((await ask("sendMessage", send({}))).ok).toBe(true);
    const statuses = bot.pending.flatMap(
      ({ my_chat_member: member }) => member?.new_chat_member.status ?? [],
    );
    expect(statuses.slice(-2)).toEqual(["kicked", "member"]);
  });

  it("a person who never wrote, and a group that the bot has left", async () => {
    const shy = await api.telegram.createPerson();
    shy.privateChat(bot);
    expect((await ask("sendMessage", send({ chat_id: shy.id }))).description).toBe(
      "Forbidden: bot can't initiate conversation with a user",
    );
    const other = await api.telegram.createGroup({ members: [ada, bot] });
    expect((await ask("leaveChat", { chat_id: other.id })).ok).toBe(true);
    expect((await ask("sendMessage", send({ chat_id: other.id }))).description).toBe(
      "Forbidden: bot is not a member of the supergroup chat",
    );
    await other.add(bot);
    await other.remove(bot);
    expect((await ask("sendMessage", send({ chat_id: other.id }))).description).toBe(
      "Forbidden: bot was kicked from the supergroup chat",
    );
    expect(bot.pending.at(-1)?.my_chat_member?.new_chat_member.status).toBe("kicked");
  });
});
