import { createPublicKey, verify } from "node:crypto";
import { parse, validate } from "@tma.js/init-data-node";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type BotAccount, type LocalBotApi, type Person, startLocalBotApi } from "../local-bot-api.ts";
import { type Reply, wire } from "../test-bot.ts";

let api: LocalBotApi;
let bot: BotAccount;
let ada: Person;
let ask: (method: string, payload?: object) => Promise<Reply>;

beforeEach(async () => {
  api = await startLocalBotApi({ limits: "off" });
  bot = await api.telegram.createBot({ username: "echo_bot", topics: true, inline: true });
  ada = await api.telegram.createPerson({ firstName: "Ada", username: "ada_l", languageCode: "ru" });
  ask = wire(api, bot);
});
afterEach(() => api.close());

const heard = () => bot.pending.flatMap(({ message }) => message?.text ?? []);

describe("a bot in a group", () => {
  it("hears commands, mentions and replies, and nothing else", async () => {
    const group = await api.telegram.createGroup({ members: [ada, bot] });
    const seat = ada.in(group);
    await ask("sendMessage", { chat_id: group.id, text: "I am here" });
    const own = group.chat.lastFromBot!.message_id;
    const eve = await api.telegram.createPerson({ firstName: "Eve" });
    await group.add(eve);
    await seat.send("good morning all");
    await seat.send("/help");
    await seat.send("/help@other_bot");
    await seat.send("/help@Echo_Bot");
    await seat.send("what says @echo_bot ?");
    await seat.send("what says @echo_bots ?");
    await eve.in(group).send("to you", { replyTo: own });
    expect(heard()).toEqual(["/help", "/help@Echo_Bot", "what says @echo_bot ?", "to you"]);
  });

  it("hears everything as an administrator", async () => {
    const group = await api.telegram.createGroup({ members: [ada, bot] });
    await group.setAdministrator(bot, true);
    await ada.in(group).send("good morning all");
    expect(heard()).toEqual(["good morning all"]);
    expect(bot.pending.at(-2)?.my_chat_member?.new_chat_member.status).toBe("administrator");
  });

  it("hears a command without a name only when it spoke last", async () => {
    const other = await api.telegram.createBot({ username: "other_bot" });
    const group = await api.telegram.createGroup({ members: [ada, bot, other] });
    await wire(api, other)("sendMessage", { chat_id: group.id, text: "mine" });
    await ada.in(group).send("/go");
    expect(heard()).toEqual([]);
    expect(other.pending.at(-1)?.message?.text).toBe("/go");
  });
});

describe("who a bot is told administers a group", () => {
  it("its creator, and whoever was made one; nobody else", async () => {
    const [eve, ivan] = [await api.telegram.createPerson(), await api.telegram.createPerson()];
    const group = await api.telegram.createGroup({ members: [bot, ada, eve, ivan] });
    await group.setAdministrator(ivan, true);
    const statuses: string[] = [];
    for (const { id } of [ada, eve, ivan]) {
      const { result } = await ask("getChatMember", { chat_id: group.id, user_id: id });
      statuses.push((result as { status: string }).status);
    }
    expect(statuses).toEqual(["creator", "member", "administrator"]);
    const { result } = await ask("getChatAdministrators", { chat_id: group.id });
    expect((result as { user: { id: number } }[]).map(({ user }) => user.id)).toEqual([ada.id, ivan.id]);
  });
});

describe("a bot's own keyboard", () => {
  it("stays until it is replaced or taken away, and opens its Mini App", async () => {
    const seat = await ada.start(bot);
    const say = (text: string, reply_markup?: object) =>
      ask("sendMessage", { chat_id: ada.id, text, reply_markup });
    await say("Choose", {
      keyboard: [["Tea", { text: "Coffee" }], [{ text: "Me", request_contact: true }]],
      one_time_keyboard: true,
      input_field_placeholder: "A drink",
    });
    const { message_id: messageId, reply_markup } = seat.chat.lastFromBot!;
    expect(reply_markup).toBeUndefined();
    const tea = {
      messageId,
      rows: [
        [
          { text: "Tea", does: "text" },
          { text: "Coffee", does: "text" },
        ],
        [{ text: "Me", does: "other" }],
      ],
      isOneTime: true,
      placeholder: "A drink",
    };
    await say("Well?");
    await say("Button below", { inline_keyboard: [[{ text: "x", callback_data: "x" }]] });
    expect(seat.chat.keyboard).toEqual(tea);
    expect(seat.chat.snapshot().keyboard).toEqual(tea);

    const page = "https://app.example/form";
    await say("Or", { keyboard: [[{ text: "Form", web_app: { url: page } }]] });
    const form = seat.chat.keyboard!;
    expect(form.rows).toEqual([[{ text: "Form", does: "mini_app" }]]);
    const { url } = await seat.openMiniApp({ button: { messageId: form.messageId, label: "Form" } });
    expect(url.startsWith(`${page}#`)).toBe(true);

    await say("Thanks", { remove_keyboard: true });
    expect(seat.chat.keyboard).toBeUndefined();
  });
});

describe("topics", () => {
  it("separate a private chat", async () => {
    const seat = await ada.start(bot);
    const { result } = await ask("createForumTopic", { chat_id: ada.id, name: "Trip" });
    const threadId = (result as { message_thread_id: number }).message_thread_id;
    await seat.send("where to?", { threadId });
    expect(bot.pending.at(-1)?.message).toMatchObject({
      message_thread_id: threadId,
      is_topic_message: true,
    });
    await ask("sendMessageDraft", { chat_id: ada.id, message_thread_id: threadId, draft_id: 1, text: "so" });
    await ask("sendMessage", { chat_id: ada.id, text: "elsewhere" });
    expect(seat.chat.drafts).toHaveLength(1);
    await ask("sendMessage", { chat_id: ada.id, message_thread_id: threadId, text: "here" });
    expect(seat.chat.drafts).toEqual([]);
    expect(
      (await ask("editForumTopic", { chat_id: ada.id, message_thread_id: threadId, name: "Trip to Rome" }))
        .ok,
    ).toBe(true);
    expect(seat.chat.topics).toEqual([{ threadId, name: "Trip to Rome", isClosed: false }]);
    expect((await ask("deleteForumTopic", { chat_id: ada.id, message_thread_id: threadId })).ok).toBe(true);
    expect(seat.chat.messages.map(({ text }) => text)).toEqual(["/start", "elsewhere"]);
  });

  it("are made by a person only where there are topics", async () => {
    const seat = await ada.start(bot);
    expect(await seat.createTopic("Trip")).toBe(2);
    expect(bot.pending.at(-1)?.message?.forum_topic_created).toMatchObject({ name: "Trip" });
    const plain = await api.telegram.createBot({ username: "plain_bot" });
    await expect(ada.privateChat(plain).createTopic("Trip")).rejects.toThrow(/no topics/);
    const group = await api.telegram.createGroup({ members: [ada, bot] });
    await expect(ada.in(group).createTopic("Trip")).rejects.toThrow(/no topics/);
  });

  it("that are closed take no messages", async () => {
    const group = await api.telegram.createGroup({ forum: true, members: [ada, bot] });
    await group.setAdministrator(bot, true);
    const { result } = await ask("createForumTopic", { chat_id: group.id, name: "Trip" });
    const place = {
      chat_id: group.id,
      message_thread_id: (result as { message_thread_id: number }).message_thread_id,
    };
    expect((await ask("sendMessage", { ...place, text: "a" })).ok).toBe(true);
    await ask("closeForumTopic", place);
    expect((await ask("sendMessage", { ...place, text: "b" })).description).toBe("Bad Request: TOPIC_CLOSED");
  });
});

describe("a Mini App", () => {
  it("opens from the menu button with init data that the bot and third parties verify", async () => {
    const seat = await ada.start(bot);
    await expect(seat.openMiniApp()).rejects.toThrow(/setChatMenuButton/);
    await ask("setChatMenuButton", {
      menu_button: { type: "web_app", text: "Open", web_app: { url: "https://app.example/x" } },
    });
    expect(bot.menuButton(ada)).toMatchObject({ type: "web_app", text: "Open" });
    const { url, initData } = await seat.openMiniApp({ startParam: "ref" });
    expect(() => validate(initData, bot.token)).not.toThrow();
    expect(isGenuine(initData)).toBe(true);
    expect(parse(initData)).toMatchObject({
      start_param: "ref",
      user: { id: ada.id, language_code: "ru", username: "ada_l" },
    });
    const fragment = new URLSearchParams(new URL(url).hash.slice(1));
    expect(url.startsWith("https://app.example/x#")).toBe(true);
    expect(fragment.get("tgWebAppData")).toBe(initData);
    expect(JSON.parse(fragment.get("tgWebAppThemeParams")!)).toHaveProperty("bg_color");
    const forged = initData.replace(String(ada.id), "1");
    expect(() => validate(forged, bot.token)).toThrow();
    expect(isGenuine(forged)).toBe(false);
  });

  /** As a third party does, with this Telegram's key: the token of the bot is not needed. */
  function isGenuine(initData: string): boolean {
    const fields = new URLSearchParams(initData);
    const lines = [...fields]
      .filter(([name]) => name !== "hash" && name !== "signature")
      .map(([name, value]) => `${name}=${value}`)
      .sort();
    const x = Buffer.from(api.telegram.initDataPublicKey, "hex").toString("base64url");
    const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
    const signed = Buffer.from(`${bot.id}:WebAppData\n${lines.join("\n")}`);
    return verify(null, signed, key, Buffer.from(fields.get("signature") ?? "", "base64url"));
  }
});

it("commands are shown in the person's language, and in the default one where there are none", async () => {
  const en = [{ command: "help", description: "Help" }];
  const ru = [{ command: "help", description: "Помощь" }];
  await ask("setMyCommands", { commands: en });
  await ask("setMyCommands", { commands: ru, language_code: "ru" });
  expect(bot.commands("ru")).toEqual(ru);
  expect(bot.commands("fr")).toEqual(en);
  expect((await ask("getMyCommands", { language_code: "ru" })).result).toEqual(ru);
  await ask("deleteMyCommands", { language_code: "ru" });
  expect(bot.commands("ru")).toEqual(en);
});

it("a reaction reaches a bot that asked for reactions, and its own is seen", async () => {
  const seat = await ada.start(bot);
  await ask("sendMessage", { chat_id: ada.id, text: "good?" });
  const up = [{ type: "emoji", emoji: "👍" }] as const;
  await seat.react(2, up);
  expect(bot.pending.some(({ message_reaction }) => message_reaction)).toBe(false);
  await ask("getUpdates", { allowed_updates: ["message", "message_reaction"] });
  await seat.react(2, []);
  expect(bot.pending.at(-1)?.message_reaction).toMatchObject({
    message_id: 2,
    old_reaction: up,
    new_reaction: [],
  });
  const seen: unknown[] = [];
  api.telegram.on((event) => event.type === "reaction" && seen.push(event.reactions));
  await ask("setMessageReaction", {
    chat_id: ada.id,
    message_id: 1,
    reaction: [{ type: "emoji", emoji: "👀" }],
  });
  expect(seen).toEqual([[{ type: "emoji", emoji: "👀" }]]);
});

it("an inline query gets its results", async () => {
  const seat = await ada.start(bot);
  const results = seat.inlineQuery(bot, "cats");
  const query = await api.telegram.until(() => bot.pending.at(-1)?.inline_query);
  const article = {
    type: "article",
    id: "1",
    title: "Cats",
    input_message_content: { message_text: "cats" },
  };
  await ask("answerInlineQuery", { inline_query_id: query.id, results: [article] });
  expect(await results).toEqual([article]);
});

it("what an app would not send is refused to the person who tries", async () => {
  const seat = ada.privateChat(bot);
  await expect(seat.send("  ")).rejects.toThrow(/white space/);
  await expect(seat.send("a".repeat(4_097))).rejects.toThrow(/4096/);
  await ada.block(bot);
  await expect(seat.send("hi")).rejects.toThrow(/unblock/);
});
