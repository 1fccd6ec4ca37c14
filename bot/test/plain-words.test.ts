import { AttestationError, BombyxError, type ErrorCode } from "@bombyx/sdk";
import { describe, expect, it } from "vitest";
import { sent, startBotWorld, wordsOf } from "./bot-world.ts";
import type { Script } from "./scripted-answerer.ts";

const failing = (error: Error, ...pieces: readonly string[]): Script =>
  async function* () {
    yield* pieces;
    throw error;
  };
const refused = (code: ErrorCode, retryAfterMs?: number) =>
  new BombyxError(code, `internal words about ${code}`, retryAfterMs === undefined ? {} : { retryAfterMs });

describe("what goes wrong is said in plain words, in both languages, with a way on", () => {
  it("for every kind of failure", async () => {
    await using world = await startBotWorld();
    const anna = (await world.telegram.createPerson()).privateChat(world.account);
    const ivan = (await world.telegram.createPerson({ languageCode: "ru" })).privateChat(world.account);
    const cases: [Error, string, string][] = [
      [refused("ALLOWANCE_EXHAUSTED"), "allowance for answers is used up", "Лимит на ответы исчерпан"],
      [refused("NO_CANDIDATE"), "No machine with spark is free", "Сейчас нет свободной машины с spark"],
      [refused("QUEUE_FULL", 12_000), "Try again in 12 seconds", "Попробуйте через 12 с."],
      [new AttestationError("TCB_STATUS", "tcb", "words"), "I did not ask.", "Я не стал спрашивать."],
      [refused("CONTEXT_TOO_LONG"), "longer than spark can read", "длиннее, чем spark может прочитать"],
      [refused("MODEL_UNKNOWN"), "spark is not offered any more", "spark больше не предлагают"],
      [refused("GATEWAY_UNREACHABLE"), "cannot reach the network", "Не могу связаться с сетью"],
      [refused("BOT_NOT_REGISTERED"), "not set up correctly", "настроен неверно"],
      [refused("TRUNCATED"), "lost in the middle", "пропала посреди ответа"],
      [new Error("a bug"), "Something broke on my side", "Что-то сломалось на моей стороне"],
    ];
    for (const [error, english, russian] of cases) {
      world.answerer.script = failing(error);
      await anna.send(`Question: ${english}`);
      const { payload } = await sent(world, english);
      expect(wordsOf({ payload })).not.toMatch(/internal words|a bug/);
      expect(payload.reply_markup).toBeDefined();
      await ivan.send(`Вопрос: ${english}`);
      await sent(world, russian);
    }
  });

  it("behind what had arrived, which is kept", async () => {
    await using world = await startBotWorld();
    const anna = (await world.telegram.createPerson()).privateChat(world.account);
    world.answerer.script = failing(refused("NODE_FAILED"), "Half of the ", "answer");
    await anna.send("Why?");
    expect(wordsOf(await sent(world, "lost in the middle"))).toMatch(/^Half of the answer/);
  });

  it("a question that failed is not part of what is sent later, and Try again asks it", async () => {
    await using world = await startBotWorld();
    const anna = (await world.telegram.createPerson()).privateChat(world.account);
    const { script } = world.answerer;
    world.answerer.script = failing(refused("NO_CANDIDATE"));
    await anna.send("Anybody there?");
    const { messageId } = await sent(world, "No machine with spark");
    world.answerer.script = script;
    await anna.press(messageId, "↻ Try again");
    await sent(world, "You asked: Anybody there?");
    expect(world.answerer.questions.at(-1)?.messages).toHaveLength(1);
  });

  it("a history that is too long for the model is halved until it fits, before anybody is told", async () => {
    await using world = await startBotWorld();
    const anna = (await world.telegram.createPerson()).privateChat(world.account);
    for (const question of ["One", "Two", "Three", "Four"]) {
      await anna.send(question);
      await sent(world, `You asked: ${question}`);
    }
    const { script } = world.answerer;
    world.answerer.script = (question) =>
      question.messages.length > 3 ? failing(refused("CONTEXT_TOO_LONG"))(question) : script(question);
    await anna.send("Five");
    await sent(world, "You asked: Five");
    expect(world.answerer.questions.slice(4).map(({ messages }) => messages.length)).toEqual([9, 5, 3]);
  });

  it("says once per conversation that the hardware was simulated, and when an answer was cut at its length", async () => {
    await using world = await startBotWorld();
    const anna = (await world.telegram.createPerson()).privateChat(world.account);
    world.answerer.script = async function* () {
      yield "An answer";
      return { reason: "length", simulated: true };
    };
    await anna.send("One");
    expect(wordsOf(await sent(world, "An answer"))).toMatch(/reached its longest.*Simulated hardware/s);
    await anna.send("Two");
    await world.telegram.until(() => world.calls("sendRichMessage").length === 2);
    expect(wordsOf(world.calls("sendRichMessage")[1] ?? { payload: {} })).not.toContain("Simulated");
  });
});

describe("what Telegram shows before the chat begins", () => {
  it("commands, description and the way to the Mini App, in both languages, told once", async () => {
    await using world = await startBotWorld();
    const anna = await world.telegram.createPerson();
    expect(world.account.commands("en", { type: "all_private_chats" })).toContainEqual({
      command: "privacy",
      description: "Who can read what",
    });
    expect(world.account.commands("ru", { type: "all_private_chats" })).toContainEqual({
      command: "privacy",
      description: "Кто и что может прочитать",
    });
    expect(world.account.commands("en", { type: "all_group_chats" })[0]?.command).toBe("ask");
    expect(world.account.description("ru")).toContain("Приватный ИИ");
    expect(world.account.menuButton(anna)).toEqual({
      type: "web_app",
      text: "Private chat",
      web_app: { url: "http://127.0.0.1:5173/" },
    });
    const before = world.calls("setMyCommands").length;
    await world.restart();
    expect(world.calls("setMyCommands")).toHaveLength(before);
  });

  it("the menu button is in the person's language, and follows it", async () => {
    await using world = await startBotWorld();
    const ivan = await world.telegram.createPerson({ languageCode: "ru" });
    const buttons = () =>
      world
        .calls("setChatMenuButton")
        .slice(1)
        .map(({ payload }) => payload);
    const russian = {
      chat_id: ivan.id,
      menu_button: { type: "web_app", text: "Приватный чат", web_app: { url: "http://127.0.0.1:5173/" } },
    };
    await ivan.start(world.account);
    await world.telegram.until(() => buttons().length === 1);
    expect(buttons()).toEqual([russian]);
    await ivan.privateChat(world.account).send("Привет");
    await sent(world, "You asked: Привет");
    expect(buttons()).toHaveLength(1);

    // The bot may come back with another address: whoever has a button of their own hears of it.
    await world.restart();
    await ivan.privateChat(world.account).send("Ещё привет");
    await world.telegram.until(() => buttons().length === 2);
    expect(buttons().at(-1)).toEqual(russian);

    await ivan.setLanguage("en");
    await ivan.start(world.account);
    await world.telegram.until(() => buttons().length === 3);
    expect(buttons().at(-1)).toEqual({ chat_id: ivan.id, menu_button: { type: "default" } });
    expect(world.account.menuButton(ivan)).toMatchObject({ text: "Private chat" });
  });

  it("without PUBLIC_URL the button is hidden, and /start says why", async () => {
    await using world = await startBotWorld({ config: { miniApp: { reason: "PUBLIC_URL is not set" } } });
    const anna = await world.telegram.createPerson();
    await anna.start(world.account);
    const { payload } = await sent(world, "is not available: PUBLIC_URL is not set");
    expect(payload).not.toHaveProperty("reply_markup");
    expect(world.account.menuButton(anna)).toEqual({ type: "commands" });
  });
});

describe("a bot whose policy is the open tier", () => {
  it.each([
    [
      "en",
      "its owner can read this",
      /neither the network nor the GPU's owner can read|checks the hardware proof/,
    ],
    ["ru", "его владелец может это прочитать", /ни сеть, ни владелец видеокарты|проверяет доказательство/],
  ])(
    "says in %s who can read, before the first question and under the first answer",
    async (language, truth, lie) => {
      await using world = await startBotWorld({ openTier: true });
      const anna = await world.telegram.createPerson({ languageCode: language });
      const seat = await anna.start(world.account);
      expect((await sent(world, truth)).payload.text).not.toMatch(lie);
      await seat.send("/privacy");
      await world.telegram.until(() => world.calls("sendMessage").length === 2);
      const privacy = String(world.calls("sendMessage")[1]?.payload.text);
      expect(privacy).toContain(truth);
      expect(privacy).not.toMatch(lie);
      expect(world.account.description(language)).toMatch(/owner can read|владелец может прочитать/);
      await seat.send("One");
      await sent(world, truth);
      await seat.send("Two");
      await world.telegram.until(() => world.calls("sendRichMessage").length === 2);
      expect(world.calls("sendRichMessage").map((call) => wordsOf(call).includes(truth))).toEqual([
        true,
        false,
      ]);
    },
  );
});

describe("hostile output", () => {
  it("makes nothing that acts: no buttons, no media, no tg:// links, no previews", async () => {
    await using world = await startBotWorld();
    const anna = (await world.telegram.createPerson()).privateChat(world.account);
    world.answerer.script = async function* () {
      yield "[a](tg://resolve?domain=x) [b](javascript:x) ![c](https://t.example/c.png)\n\n";
      yield "<tg-button type='web_app' url='https://evil.example'>d</tg-button>\n\n@admin /forget #tag";
      return undefined;
    };
    await anna.send("Attack");
    const { payload } = await sent(world, "@admin");
    expect(payload.rich_message).toEqual({
      skip_entity_detection: true,
      blocks: [
        {
          type: "paragraph",
          text: [
            ["a (", "tg://resolve?domain=x", ")"],
            " ",
            ["b (", "javascript:x", ")"],
            " ",
            ["c (", { type: "url", text: "https://t.example/c.png", url: "https://t.example/c.png" }, ")"],
          ],
        },
        {
          type: "paragraph",
          text: "<tg-button type='web_app' url='https://evil.example'>d</tg-button>",
        },
        { type: "paragraph", text: "@admin /forget #tag" },
      ],
    });
  });

  it("a long document, streamed in small pieces, never breaks a frame", async () => {
    await using world = await startBotWorld({ pace: { draftMs: 0, editMs: 0, refreshMs: 20_000 } });
    const anna = (await world.telegram.createPerson()).privateChat(world.account);
    const document = `# Silk 🐛\n\n- one **two** \`three\`\n- [ ] four\n\n| a | b |\n|---|---|\n| 👩‍👩‍👧 | *c* |\n\n\`\`\`ts\nlet a = "🦋";\n\`\`\`\n\n> quote\n\n\\[\n\\frac{a}{b}\n\\]\n\nso \\(c_1\\)`;
    world.answerer.script = async function* () {
      const pieces = document.repeat(3).match(/[\s\S]{1,7}/g) ?? [];
      const shown = () => world.calls("sendRichMessageDraft").length;
      for (const piece of pieces) {
        const before = shown();
        yield piece;
        if (piece.trim() !== "")
          await world.telegram.until(() => shown() > before, { timeoutMs: 1_000 }).catch(() => undefined);
      }
      return undefined;
    };
    await anna.send("Write it");
    await world.telegram.until(() => world.calls("sendRichMessage").length === 1, { timeoutMs: 20_000 });
    const frames = world.calls("sendRichMessageDraft", "sendRichMessage");
    expect(frames.length).toBeGreaterThan(30);
    expect(frames.filter(({ response }) => response?.ok === false)).toEqual([]);
    expect(world.calls("sendMessageDraft", "sendMessage")).toEqual([]);
  });
});
