import { describe, expect, it } from "vitest";
import { drafted, sent, startBotWorld, wordsOf } from "./bot-world.ts";
import { heldScript } from "./scripted-answerer.ts";

const retryButton = (text = "↻ Try again") => ({
  inline_keyboard: [[{ text, callback_data: expect.stringMatching(/^retry:[0-9a-f-]{36}$/) }]],
});

describe("in a private chat", () => {
  it("/start says who can read what, opens the session ahead, and offers the private mode", async () => {
    await using world = await startBotWorld();
    const anna = await world.telegram.createPerson({ firstName: "*Anna*" });
    await anna.start(world.account);
    const { payload } = await sent(world, "private mode");
    expect(payload.text).toMatch(/^Hello, \*Anna\*!/);
    expect(payload).toMatchObject({
      chat_id: anna.id,
      link_preview_options: { is_disabled: true },
      reply_markup: {
        inline_keyboard: [[{ text: "Open the private chat", web_app: { url: "http://127.0.0.1:5173/" } }]],
      },
    });
    expect(world.answerer.prepared).toEqual([{ model: "spark", userId: anna.id, seat: `${anna.id}/0` }]);
  });

  it("an answer streams into one draft, and ends as one rich message with a button to ask again", async () => {
    await using world = await startBotWorld();
    const held = heldScript("Silk is **stro", "ng**.");
    world.answerer.script = held.script;
    const anna = await world.telegram.createPerson();
    await anna.privateChat(world.account).send("Why is silk strong?");
    await drafted(world, "Silk is strong.");
    held.release();
    await sent(world, "Silk is strong.");

    const rich_message = {
      blocks: [{ type: "paragraph", text: ["Silk is ", { type: "bold", text: "strong" }, "."] }],
      skip_entity_detection: true,
    };
    const drafts = world.calls("sendRichMessageDraft").map(({ payload }) => payload);
    const draft = { chat_id: anna.id, draft_id: drafts[0]?.draft_id, can_stop: true, keep_on_stop: true };
    expect(drafts[0]).toEqual({
      ...draft,
      rich_message: { blocks: [{ type: "thinking", text: "Thinking…" }] },
    });
    expect(drafts.at(-1)).toEqual({ ...draft, rich_message });
    expect(draft.draft_id).toBeGreaterThan(0);
    expect(new Set(drafts.map((each) => each.draft_id)).size).toBe(1);
    expect(
      world.calls("sendMessage", "sendRichMessage", "editMessageText").map(({ payload }) => payload),
    ).toEqual([{ chat_id: anna.id, rich_message, reply_markup: retryButton() }]);
  });

  it("what was said before is sent along, and /new begins without it", async () => {
    await using world = await startBotWorld();
    const seat = (await world.telegram.createPerson()).privateChat(world.account);
    await seat.send("My name is Anna.");
    await sent(world, "You asked: My name is Anna.");
    await seat.send("What is my name?");
    await sent(world, "You asked: What is my name?");
    expect(world.answerer.questions.at(-1)).toMatchObject({
      model: "spark",
      userId: seat.person.id,
      messages: [
        { role: "user", content: "My name is Anna." },
        { role: "assistant", content: "You asked: My name is Anna." },
        { role: "user", content: "What is my name?" },
      ],
    });
    await seat.send("/new");
    await sent(world, "A new conversation");
    await seat.send("And now?");
    await sent(world, "You asked: And now?");
    expect(world.answerer.questions.at(-1)?.messages).toEqual([{ role: "user", content: "And now?" }]);
  });

  it("Stop on the draft ends the answer at once and keeps what is there", async () => {
    await using world = await startBotWorld();
    world.answerer.script = heldScript("Half of ").script;
    const seat = (await world.telegram.createPerson()).privateChat(world.account);
    await seat.send("A long story, please");
    const draft = await drafted(world, "Half of");
    await seat.stop(Number(draft.payload.draft_id));
    const { payload } = await sent(world, "Stopped.");
    expect(wordsOf({ payload })).toBe("Half ofStopped.");
    expect(world.answerer.questions[0]?.signal.aborted).toBe(true);
    // Nothing of it runs on: the next question is answered.
    world.answerer.script = async function* () {
      yield "Next";
      return undefined;
    };
    await seat.send("And now?");
    await sent(world, "Next");
  });

  it("/stop does the same, and says so when there is nothing to stop", async () => {
    await using world = await startBotWorld();
    world.answerer.script = heldScript("Half of ").script;
    const seat = (await world.telegram.createPerson()).privateChat(world.account);
    await seat.send("A long story, please");
    await drafted(world, "Half of");
    await seat.send("/stop");
    await sent(world, "Half ofStopped.");
    await seat.send("/stop");
    await sent(world, "Nothing is being answered");
  });

  it("Try again asks the same once more, without the old answer, and only for the latest question", async () => {
    await using world = await startBotWorld();
    const seat = (await world.telegram.createPerson()).privateChat(world.account);
    await seat.send("First?");
    const first = await sent(world, "You asked: First?");
    world.answerer.script = async function* () {
      yield "Better";
      return undefined;
    };
    expect(await seat.press(first.messageId, "↻ Try again")).toMatchObject({ kind: "answered", text: "" });
    const second = await sent(world, "Better");
    expect(world.answerer.questions.map(({ messages }) => messages)).toEqual([
      [{ role: "user", content: "First?" }],
      [{ role: "user", content: "First?" }],
    ]);
    await seat.send("Second?");
    await world.telegram.until(
      () => world.answerer.questions.length === 3 && world.calls("sendRichMessage").length === 3,
    );
    expect(world.answerer.questions.at(-1)?.messages.at(1)).toEqual({ role: "assistant", content: "Better" });
    expect(await seat.press(second.messageId, "↻ Try again")).toMatchObject({
      text: "Only the latest question can be asked again.",
      showAlert: true,
    });
    expect(world.answerer.questions).toHaveLength(3);
  });

  it("/model offers what the network serves, and the choice holds for this chat", async () => {
    await using world = await startBotWorld();
    const seat = (await world.telegram.createPerson()).privateChat(world.account);
    await seat.send("/model");
    const { messageId, payload } = await sent(world, "Which model");
    const button = (text: string) => [{ text, callback_data: expect.stringMatching(/^model:[0-9a-f]{16}$/) }];
    expect(payload.reply_markup).toEqual({
      inline_keyboard: [
        button("✓ spark · 1,024 tokens · 2 machines"),
        button("llama-3.2-1b · 8,192 tokens · 1 machine"),
      ],
    });
    await seat.press(messageId, [1, 0]);
    await sent(world, "From now on llama-3.2-1b answers here.");
    await seat.send("Hello?");
    await sent(world, "You asked: Hello?");
    expect(world.answerer.questions[0]?.model).toBe("llama-3.2-1b");
  });

  it("/forget erases what it remembers, and the button of a forgotten answer says so", async () => {
    await using world = await startBotWorld();
    const seat = (await world.telegram.createPerson()).privateChat(world.account);
    await seat.send("A secret");
    const { messageId } = await sent(world, "You asked: A secret");
    await seat.send("/forget");
    await sent(world, "one question and its answer are gone");
    expect(await seat.press(messageId, "↻ Try again")).toMatchObject({
      text: "I have forgotten that conversation.",
    });
    await seat.send("What did I say?");
    await sent(world, "You asked: What did I say?");
    expect(world.answerer.questions.at(-1)?.messages).toHaveLength(1);
  });

  it("/forget also erases an answer that Telegram has not taken yet; another chat still gets its own", async () => {
    await using world = await startBotWorld({ speed: 20 });
    const seat = (await world.telegram.createPerson()).privateChat(world.account);
    const other = (await world.telegram.createPerson()).privateChat(world.account);
    for (const chat of [seat, other]) {
      world.telegram.fail({
        method: "sendRichMessage",
        chatId: chat.chat.id,
        how: { kind: "flood", retryAfterS: 20 },
      });
    }
    await other.send("Not secret");
    await seat.send("A secret");
    await world.telegram.until(() => world.calls("sendRichMessage").length === 2);
    await seat.send("/forget");
    await sent(world, "one question and its answer are gone");
    await sent(world, "You asked: Not secret");
    await seat.send("/help");
    await sent(world, "/forget");
    expect(world.calls("sendRichMessage").filter((call) => wordsOf(call).includes("A secret"))).toHaveLength(
      1,
    );
  });

  it("/privacy names everybody who can read, in the language of the person's app", async () => {
    await using world = await startBotWorld();
    const anna = await world.telegram.createPerson({ languageCode: "en-GB" });
    const ivan = await world.telegram.createPerson({ languageCode: "ru" });
    await anna.privateChat(world.account).send("/privacy");
    const english = await sent(world, "Who can read what");
    for (const truth of [
      "you, Telegram, this bot and whoever runs it",
      "the number of your Telegram account",
      "24 hours",
      "Mini App",
      "memory bus",
    ]) {
      expect(english.payload.text).toContain(truth);
    }
    await ivan.privateChat(world.account).send("/privacy");
    const russian = await sent(world, "Кто и что может прочитать");
    expect(russian.payload.text).toContain("вы, Telegram, этот бот и тот, кто его запустил");
    await ivan.privateChat(world.account).send("Привет");
    const { payload } = await sent(world, "You asked: Привет");
    expect(payload.reply_markup).toEqual(retryButton("↻ Ещё раз"));
  });

  it.each([
    ["a voice message", "I cannot listen to voice messages yet"],
    ["a picture", "I cannot see pictures yet"],
    ["a file", "I cannot open files yet"],
  ] as const)("%s gets a friendly word", async (kind, words) => {
    await using world = await startBotWorld();
    const seat = (await world.telegram.createPerson()).privateChat(world.account);
    const bytes = Uint8Array.of(1, 2, 3);
    if (kind === "a voice message") await seat.sendVoice(bytes);
    if (kind === "a picture") await seat.sendPhoto(bytes, { caption: "What is this?" });
    if (kind === "a file") await seat.sendDocument(bytes);
    await sent(world, words);
    expect(world.answerer.questions).toEqual([]);
  });

  it("each topic is a conversation of its own, answered in its topic", async () => {
    await using world = await startBotWorld({ bot: { topics: true } });
    const seat = (await world.telegram.createPerson()).privateChat(world.account);
    const [silk, wool] = [await seat.createTopic("Silk"), await seat.createTopic("Wool")];
    await seat.send("About silk", { threadId: silk });
    expect((await sent(world, "You asked: About silk")).payload.message_thread_id).toBe(silk);
    await seat.send("About wool", { threadId: wool });
    expect((await sent(world, "You asked: About wool")).payload.message_thread_id).toBe(wool);
    expect(world.answerer.questions.map(({ messages, seat: session }) => [messages.length, session])).toEqual(
      [
        [1, `${seat.person.id}/${silk}`],
        [1, `${seat.person.id}/${wool}`],
      ],
    );
    expect(world.calls("sendRichMessageDraft").map(({ payload }) => payload.message_thread_id)).toContain(
      silk,
    );
  });
});
