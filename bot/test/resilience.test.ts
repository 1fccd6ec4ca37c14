import { once } from "node:events";
import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { drafted, sent, startBotWorld, wordsOf } from "./bot-world.ts";
import { heldScript, type Script } from "./scripted-answerer.ts";

const saying = (...pieces: readonly string[]): Script =>
  async function* () {
    yield* pieces;
    return undefined;
  };

describe("whatever happens", () => {
  it("the same update twice is answered once", async () => {
    await using world = await startBotWorld();
    const seat = (await world.telegram.createPerson()).privateChat(world.account);
    const updates: number[] = [];
    world.telegram.on((event) => {
      if (event.type === "update") updates.push(event.update.update_id);
    });
    await seat.send("Once?");
    await sent(world, "You asked: Once?");
    await world.telegram.until(() => updates.length > 0);
    world.telegram.redeliver(updates[0] ?? 0);
    // After a restart too, and what comes behind it is answered.
    await world.restart();
    world.telegram.redeliver(updates[0] ?? 0);
    await seat.send("Twice?");
    await sent(world, "You asked: Twice?");
    expect(world.answerer.asked).toEqual(["Once?", "Twice?"]);
  });

  it("a storm of 429 loses nothing: answers arrive, each once and in order, when it is over", async () => {
    await using world = await startBotWorld({ speed: 10 });
    const people = await Promise.all([1, 2, 3].map(() => world.telegram.createPerson()));
    world.telegram.fail({
      method: ["sendRichMessage", "sendMessage", "sendRichMessageDraft", "sendMessageDraft"],
      times: 20,
      how: { kind: "flood", retryAfterS: 1 },
    });
    await Promise.all(people.map((person) => person.privateChat(world.account).send(`I am ${person.id}`)));
    for (const person of people) {
      const { payload } = await sent(world, `You asked: I am ${person.id}`);
      expect(payload.chat_id).toBe(person.id);
    }
    const taken = world.calls("sendRichMessage").filter(({ response }) => response?.ok);
    expect(taken).toHaveLength(3);
  });

  it("a long retry_after holds no handler: the answer waits on the disk, and a restart brings it", async () => {
    await using world = await startBotWorld({ speed: 10 });
    const seat = (await world.telegram.createPerson()).privateChat(world.account);
    world.telegram.fail({ method: "sendRichMessage", how: { kind: "flood", retryAfterS: 10 } });
    world.telegram.fail({
      method: "sendRichMessage",
      how: { kind: "error", errorCode: 502, description: "Bad Gateway" },
    });
    await seat.send("Are you there?");
    await world.telegram.until(() => world.calls("sendRichMessage").length === 1);
    await world.restart();
    await sent(world, "You asked: Are you there?");
    expect(world.answerer.asked).toEqual(["Are you there?"]);
  });

  it("a command whose reply was not taken is carried out again", async () => {
    await using world = await startBotWorld({ speed: 20 });
    const seat = (await world.telegram.createPerson()).privateChat(world.account);
    world.telegram.fail({ method: "sendMessage", times: 2, how: { kind: "flood", retryAfterS: 4 } });
    await seat.send("/help");
    await sent(world, "Write to me");
    expect(world.calls("sendMessage")).toHaveLength(3);
  });

  it("SIGTERM in the middle of an answer lets it finish, and takes no more", async () => {
    await using world = await startBotWorld();
    const held = heldScript("To be ");
    world.answerer.script = held.script;
    const seat = (await world.telegram.createPerson()).privateChat(world.account);
    await seat.send("Go on");
    await drafted(world, "To be");
    const stopped = world.service.stop();
    await seat.send("One more");
    held.release("continued");
    await stopped;
    const [answer] = world.calls("sendRichMessage");
    expect(wordsOf(answer ?? { payload: {} })).toBe("To be continued");
    expect(answer?.response).toMatchObject({ ok: true });
    expect(world.answerer.asked).toEqual(["Go on"]);
    // Telegram kept the other one for the next start.
    world.answerer.script = saying("Here again");
    await world.restart();
    await sent(world, "Here again");
    expect(world.answerer.asked).toEqual(["Go on", "One more"]);
  });

  it("an answer that the deadline cut off is given after the start, once", async () => {
    await using world = await startBotWorld({ config: { drainMs: 0 } });
    world.answerer.script = heldScript("To be ").script;
    const seat = (await world.telegram.createPerson()).privateChat(world.account);
    await seat.send("Go on");
    await drafted(world, "To be");
    world.answerer.script = saying("From the beginning");
    await world.restart();
    await sent(world, "From the beginning");
    expect(world.answerer.asked).toEqual(["Go on", "Go on"]);
    expect(world.calls("sendRichMessage")).toHaveLength(1);
  });

  it("in a group, the placeholder that an interrupted run left becomes the answer", async () => {
    await using world = await startBotWorld({ config: { drainMs: 0 } });
    const anna = await world.telegram.createPerson();
    const group = await world.telegram.createGroup({ members: [anna, world.account] });
    world.answerer.script = heldScript("To be ").script;
    await anna.in(group).send("@bombyx_bot go on");
    const { messageId } = await sent(world, "To be");
    world.answerer.script = saying("From the beginning");
    await world.restart();
    const { payload } = await sent(world, "From the beginning");
    expect(payload.message_id).toBe(messageId);
    expect(world.calls("sendRichMessage")).toHaveLength(1);
  });

  it("who asked too long ago is told, and not answered out of the blue", async () => {
    await using world = await startBotWorld({ config: { drainMs: 0 } });
    world.answerer.script = heldScript("To be ").script;
    const seat = (await world.telegram.createPerson()).privateChat(world.account);
    const question = await seat.send("Go on");
    await drafted(world, "To be");
    await world.restart(2 * 3_600_000);
    const { payload } = await sent(world, "I was interrupted");
    expect(payload.reply_parameters).toEqual({
      message_id: question.message_id,
      allow_sending_without_reply: true,
    });
    expect(world.answerer.asked).toEqual(["Go on"]);
  });

  it("what has nothing to do with an answer does not wait for it", async () => {
    await using world = await startBotWorld();
    const held = heldScript("To be ");
    world.answerer.script = held.script;
    const seat = (await world.telegram.createPerson()).privateChat(world.account);
    await seat.send("Go on");
    await drafted(world, "To be");
    await seat.send("/model");
    const { messageId } = await sent(world, "Which model");
    expect(await seat.press(messageId, [1, 0])).toMatchObject({ text: "llama-3.2-1b it is" });
    // /new ends the answer, and erases it with what was before.
    await seat.send("/new");
    await sent(world, "A new conversation");
    await seat.send("And now?");
    await world.telegram.until(() => world.answerer.questions.length === 2);
    expect(world.answerer.questions[1]?.messages).toHaveLength(1);
    held.release();
  });

  it("questions behind a running answer wait for it, and who floods is told", async () => {
    await using world = await startBotWorld();
    const held = heldScript("First");
    world.answerer.script = held.script;
    const seat = (await world.telegram.createPerson()).privateChat(world.account);
    for (let i = 0; i < 9; i++) await seat.send(`Question ${i}`);
    await sent(world, "One after the other, please");
    world.answerer.script = saying("Later");
    held.release();
    await world.telegram.until(
      () => world.answerer.questions.length === 5 && world.calls("sendRichMessage").length === 5,
    );
    expect(world.answerer.asked).toEqual([0, 1, 2, 3, 4].map((i) => `Question ${i}`));
    expect(world.calls("sendMessage")).toHaveLength(1);
  });
});

describe("when the place of an answer is gone", () => {
  it("who blocked the bot gets nothing and is forgotten; others do not notice", async () => {
    await using world = await startBotWorld();
    const anna = await world.telegram.createPerson();
    const boris = await world.telegram.createPerson();
    const held = heldScript("To be ");
    world.answerer.script = held.script;
    await anna.privateChat(world.account).send("Go on");
    await drafted(world, "To be");
    await anna.block(world.account);
    held.release();
    await world.telegram.until(() =>
      world.calls("sendRichMessage").some(({ response }) => response?.ok === false),
    );
    world.answerer.script = saying("Here");
    await boris.privateChat(world.account).send("Are you there?");
    await sent(world, "Here");
    await anna.unblock(world.account);
    await anna.privateChat(world.account).send("What did I say?");
    const taken = () => world.calls("sendRichMessage").map(({ response }) => response?.ok);
    await world.telegram.until(() => taken()[2] !== undefined);
    expect(world.answerer.questions[2]?.messages).toHaveLength(1);
    expect(taken()).toEqual([false, true, true]);
  });

  it("an answer whose placeholder was deleted comes as a new message, to the question", async () => {
    await using world = await startBotWorld();
    const anna = await world.telegram.createPerson();
    const group = await world.telegram.createGroup({ members: [anna, world.account] });
    const held = heldScript("To be ");
    world.answerer.script = held.script;
    const question = await anna.in(group).send("@bombyx_bot go on");
    await sent(world, "To be");
    const error = {
      kind: "error",
      errorCode: 400,
      description: "Bad Request: message to edit not found",
    } as const;
    world.telegram.fail({ method: "editMessageText", times: 5, how: error });
    held.release("continued");
    await world.telegram.until(() =>
      world.calls("sendRichMessage").some((call) => wordsOf(call) === "To be continued"),
    );
    expect(world.calls("sendRichMessage").at(-1)?.payload.reply_parameters).toEqual({
      message_id: question.message_id,
      allow_sending_without_reply: true,
    });
  });
});

describe("formatting that Telegram refuses", () => {
  const broken = { kind: "error", errorCode: 400, description: "Bad Request: RICH_MESSAGE_INVALID" } as const;

  it("is said with entities, then as plain text, and no person sees an error", async () => {
    await using world = await startBotWorld();
    world.telegram.fail({ method: ["sendRichMessage", "sendRichMessageDraft"], times: 20, how: broken });
    world.telegram.fail({
      method: "sendMessage",
      how: { kind: "error", errorCode: 400, description: "Bad Request: can't parse entities" },
    });
    const seat = (await world.telegram.createPerson()).privateChat(world.account);
    const held = heldScript();
    world.answerer.script = held.script;
    await seat.send("Why?");
    await world.telegram.until(() => world.calls("sendMessageDraft").length > 0);
    held.release("Silk is **strong**.");
    await world.telegram.until(() => world.calls("sendMessage").some(({ response }) => response?.ok));
    const reply_markup = expect.objectContaining({ inline_keyboard: expect.any(Array) });
    const rest = { chat_id: seat.person.id, link_preview_options: { is_disabled: true }, reply_markup };
    expect(world.calls("sendMessage").map(({ payload }) => payload)).toEqual([
      { ...rest, text: "Silk is strong.", entities: [{ type: "bold", offset: 8, length: 6 }] },
      { ...rest, text: "Silk is strong." },
    ]);
    expect(world.calls("sendMessageDraft")[0]?.payload).toEqual({
      chat_id: seat.person.id,
      draft_id: expect.any(Number),
      can_stop: true,
      keep_on_stop: true,
      text: "",
    });
  });

  it("a server without drafts shows at least that something is coming", async () => {
    await using world = await startBotWorld();
    world.telegram.fail({
      method: ["sendRichMessageDraft", "sendMessageDraft"],
      times: 100,
      how: { kind: "error", errorCode: 404, description: "Not Found: method not found" },
    });
    const held = heldScript();
    world.answerer.script = held.script;
    const seat = (await world.telegram.createPerson()).privateChat(world.account);
    await seat.send("Why?");
    await world.telegram.until(() => world.calls("sendChatAction").length === 1);
    expect(world.calls("sendChatAction")[0]?.payload).toEqual({ chat_id: seat.person.id, action: "typing" });
    held.release("Because.");
    await sent(world, "Because.");
  });

  it("an older server is not asked for rich messages twice, and long answers arrive in parts", async () => {
    await using world = await startBotWorld();
    const unknown = { kind: "error", errorCode: 404, description: "Not Found: method not found" } as const;
    world.telegram.fail({ method: ["sendRichMessage", "sendRichMessageDraft"], times: 100, how: unknown });
    const paragraphs = Array.from(
      { length: 30 },
      (_, i) => `Paragraph ${i}. ${"Silk and mulberry. ".repeat(20)}`,
    );
    world.answerer.script = saying(paragraphs.join("\n\n"));
    const seat = (await world.telegram.createPerson()).privateChat(world.account);
    await seat.send("Tell me all");
    await sent(world, "Paragraph 29.");
    const parts = world.calls("sendMessage");
    expect(parts.length).toBeGreaterThan(2);
    for (const part of parts) expect(wordsOf(part).length).toBeLessThanOrEqual(4_096);
    expect(parts.map(({ payload }) => "reply_markup" in payload)).toEqual(
      parts.map((_, i) => i === parts.length - 1),
    );
    expect(world.calls("sendRichMessage", "sendRichMessageDraft")).toHaveLength(1);
  });
});

describe("by webhook", () => {
  const secret = "s".repeat(32);

  /** A port that was free a moment ago. */
  async function freePort(): Promise<number> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    server.close();
    await once(server, "close");
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  async function startWebhookWorld() {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}/telegram`;
    const world = await startBotWorld({ config: { webhook: { url, secret, host: "127.0.0.1", port } } });
    return { world, url };
  }

  it("updates are answered, and Telegram is not kept waiting for the answer", async () => {
    const { world } = await startWebhookWorld();
    await using _ = world;
    expect(world.calls("setWebhook")[0]?.payload).toMatchObject({
      secret_token: secret,
      allowed_updates: [
        "message",
        "callback_query",
        "pre_checkout_query",
        "stopped_message_generation",
        "my_chat_member",
      ],
    });
    const held = heldScript("Half of ");
    world.answerer.script = held.script;
    const seat = (await world.telegram.createPerson()).privateChat(world.account);
    await seat.send("Hello");
    const draft = await drafted(world, "Half of");
    // The stop passes while the question is still being handled.
    await world.telegram.until(() => world.account.pending.length === 0);
    await seat.stop(Number(draft.payload.draft_id));
    await sent(world, "Stopped.");
    expect(world.calls("getUpdates")).toEqual([]);
  });

  it("whoever does not know the secret is refused, and what is no update too", async () => {
    const { world, url } = await startWebhookWorld();
    await using _ = world;
    const post = async (headers: Record<string, string>, body: string, to = url) =>
      (await fetch(to, { method: "POST", headers, body })).status;
    const update = JSON.stringify({
      update_id: 1,
      message: {
        message_id: 1,
        date: 0,
        chat: { id: 5, type: "private", first_name: "E" },
        from: { id: 5, is_bot: false, first_name: "E" },
        text: "/help",
        entities: [{ type: "bot_command", offset: 0, length: 5 }],
      },
    });
    const known = { "x-telegram-bot-api-secret-token": secret };
    expect(await post({}, update)).toBe(401);
    expect(await post({ "x-telegram-bot-api-secret-token": `${secret}x` }, update)).toBe(401);
    expect(await post(known, "{")).toBe(400);
    expect(await post(known, "[]")).toBe(400);
    expect(await post(known, "x".repeat(1024 * 1024 + 1))).toBe(413);
    expect(await post(known, update, new URL("/else", url).href)).toBe(404);
    expect((await fetch(url)).status).toBe(405);
    expect((await fetch(new URL("/healthz", url))).status).toBe(200);
    expect(world.calls("sendMessage")).toEqual([]);
    expect(await post(known, update)).toBe(200);
    await world.telegram.until(() => world.calls("sendMessage").length === 1);
  });
});
