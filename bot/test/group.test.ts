import type { Seat } from "@bombyx/devnet/bot-api";
import { describe, expect, it } from "vitest";
import { type BotWorld, sent, startBotWorld, wordsOf } from "./bot-world.ts";
import { heldScript } from "./scripted-answerer.ts";

/** A group with Anna, Boris and the bot. */
async function group(world: BotWorld, forum = false) {
  const anna = await world.telegram.createPerson({ firstName: "Anna" });
  const boris = await world.telegram.createPerson({ firstName: "Boris" });
  const place = await world.telegram.createGroup({ forum, members: [anna, boris, world.account] });
  await sent(world, "Mention me");
  return { id: place.id, place, anna: anna.in(place), boris: boris.in(place) };
}

const edits = (world: BotWorld) => world.calls("editMessageText");

describe("in a group", () => {
  it("says how to be asked when it is added, and is silent until it is", async () => {
    await using world = await startBotWorld({ bot: { readsAllGroupMessages: true } });
    const { anna } = await group(world);
    await anna.send("Good morning everybody");
    await anna.send("/ask@other_bot what?");
    await anna.send("@bombyx_bot what is silk?");
    await sent(world, "You asked: what is silk?");
    expect(world.answerer.asked).toEqual(["what is silk?"]);
  });

  it("streams into a message with a Stop button, which becomes the answer", async () => {
    await using world = await startBotWorld();
    const { id, anna } = await group(world);
    const held = heldScript("Silk is ", "strong");
    world.answerer.script = held.script;
    const question = await anna.send("@bombyx_bot, why?");
    const placeholder = await sent(world, "…");
    expect(placeholder.payload).toEqual({
      chat_id: id,
      reply_parameters: { message_id: question.message_id, allow_sending_without_reply: true },
      rich_message: { blocks: [{ type: "paragraph", text: "…" }], skip_entity_detection: true },
      reply_markup: {
        inline_keyboard: [[{ text: "⏹ Stop", callback_data: expect.stringMatching(/^stop:/) }]],
      },
    });
    await sent(world, "Silk is strong");
    held.release(".");
    await sent(world, "Silk is strong.");
    expect(edits(world).at(-1)?.payload).toEqual({
      chat_id: id,
      message_id: placeholder.messageId,
      rich_message: { blocks: [{ type: "paragraph", text: "Silk is strong." }], skip_entity_detection: true },
      reply_markup: {
        inline_keyboard: [[{ text: "↻ Try again", callback_data: expect.stringMatching(/^retry:/) }]],
      },
    });
    expect(world.calls("sendRichMessage")).toHaveLength(1);
    expect(world.calls("sendRichMessageDraft", "sendMessageDraft")).toEqual([]);
  });

  it("the Stop button obeys who asked, and nobody else", async () => {
    await using world = await startBotWorld();
    const { anna, boris } = await group(world);
    world.answerer.script = heldScript("Half of ").script;
    await anna.send("/ask a long story");
    const { messageId } = await sent(world, "Half of");
    expect(await boris.press(messageId, "⏹ Stop")).toMatchObject({
      text: "Only the person who asked can stop this answer.",
      showAlert: true,
    });
    expect(world.answerer.questions[0]?.signal.aborted).toBe(false);
    expect(await anna.press(messageId, "⏹ Stop")).toMatchObject({ text: "Stopped" });
    expect(wordsOf(await sent(world, "Stopped."))).toBe("Half ofStopped.");
    expect(await boris.press(messageId, "↻ Try again")).toMatchObject({
      text: "Only the person who asked can ask again.",
    });
  });

  it("/forget ends the answer of who says it, and of nobody else; /new ends none, for it may be refused", async () => {
    await using world = await startBotWorld();
    const { anna, boris } = await group(world);
    world.answerer.script = heldScript("Half of ").script;
    await anna.send("/ask a long story");
    await sent(world, "Half of");
    await boris.send("/forget");
    await anna.send("/new");
    await boris.send("/help");
    await sent(world, "/privacy");
    expect(world.answerer.questions[0]?.signal.aborted).toBe(false);
    await anna.send("/forget");
    await sent(world, "Stopped.");
    expect(world.answerer.questions[0]?.signal.aborted).toBe(true);
  });

  describe("what it remembers", () => {
    /** What the model is given of the conversation so far, told by a last question. */
    const remembered = async (world: BotWorld, seat: Seat) => {
      const last = `what do you remember, ${seat.person.user.first_name}?`;
      await seat.send(`/ask ${last}`);
      await sent(world, `You asked: ${last}`);
      const messages = world.answerer.questions.at(-1)?.messages ?? [];
      return messages.slice(0, -1).flatMap(({ role, content }) => (role === "user" ? [content] : []));
    };
    const talk = async (world: BotWorld, anna: Seat, boris: Seat) => {
      for (const [seat, words] of [
        [anna, "Anna asks"],
        [boris, "Boris asks"],
        [anna, "Anna asks again"],
      ] as const) {
        await seat.send(`/ask ${words}`);
        await sent(world, `You asked: ${words}`);
      }
    };

    it("of a member, is theirs to erase with /forget; what others asked stays", async () => {
      await using world = await startBotWorld();
      const { anna, boris } = await group(world);
      await talk(world, anna, boris);
      await anna.send("/forget");
      const { payload } = await sent(world, "2 questions of yours and their answers are gone");
      expect(payload.text).toContain("What others asked stays");
      await anna.send("/forget");
      await sent(world, "I remember nothing that you asked here");
      expect(await remembered(world, boris)).toEqual(["Boris asks"]);
    });

    it("of everybody, no member erases: not by /new, not by /forget all", async () => {
      await using world = await startBotWorld();
      const { id, anna, boris } = await group(world);
      await talk(world, anna, boris);
      for (const [n, command] of ["/new", "/forget all", "/forget ВСЁ"].entries()) {
        await boris.send(command);
        await world.telegram.until(
          () =>
            world.calls("sendMessage").filter((call) => wordsOf(call).includes("only an administrator"))
              .length ===
            n + 1,
        );
      }
      expect(world.calls("getChatMember").map(({ payload }) => payload)).toEqual(
        Array(3).fill({ chat_id: id, user_id: boris.person.id }),
      );
      expect(await remembered(world, boris)).toEqual(["Anna asks", "Boris asks", "Anna asks again"]);
    });

    it.each([
      ["/new", "A new conversation"],
      ["/forget all", "3 questions and their answers are gone"],
      ["/forget всё", "3 questions and their answers are gone"],
    ])("an administrator erases with %s", async (command, words) => {
      await using world = await startBotWorld();
      const { place, anna, boris } = await group(world);
      await talk(world, anna, boris);
      await place.setAdministrator(boris.person, true);
      await boris.send(command);
      await sent(world, words);
      expect(await remembered(world, anna)).toEqual([]);
    });

    it("nobody erases for all while Telegram does not say who administers; after a fault it is asked again", async () => {
      await using world = await startBotWorld({ speed: 20 });
      const { place, anna, boris } = await group(world);
      await talk(world, anna, boris);
      await place.setAdministrator(boris.person, true);
      const refusal = {
        kind: "error",
        errorCode: 400,
        description: "Bad Request: CHAT_ADMIN_REQUIRED",
      } as const;
      world.telegram.fail({ method: "getChatMember", how: refusal });
      await boris.send("/new");
      await sent(world, "Telegram does not tell me who administers");
      expect(await remembered(world, boris)).toHaveLength(3);
      world.telegram.fail({
        method: "getChatMember",
        how: { kind: "error", errorCode: 502, description: "Bad Gateway" },
      });
      await boris.send("/new");
      await sent(world, "A new conversation");
      expect(await remembered(world, anna)).toEqual([]);
    });

    it("an answer that Telegram has not taken yet is its asker's to erase, and another's still arrives", async () => {
      await using world = await startBotWorld({ speed: 20 });
      const { anna, boris } = await group(world);
      world.telegram.fail({
        method: "editMessageText",
        times: 2,
        when: ({ payload }) => JSON.stringify(payload).includes("retry:"),
        how: { kind: "flood", retryAfterS: 20 },
      });
      await anna.send("/ask a secret");
      await expect.poll(() => edits(world).length).toBeGreaterThan(0);
      await boris.send("/ask no secret");
      await boris.send("/forget@bombyx_bot nothing in particular");
      await sent(world, "one question of yours and its answer are gone");
      await sent(world, "You asked: a secret");
      await anna.send("/forget");
      await sent(world, "one question of yours and its answer are gone");
    });

    it("Telegram's menu offers /new to administrators alone, and says whose words /forget erases", async () => {
      await using world = await startBotWorld();
      const menu = (type: "all_group_chats" | "all_chat_administrators", language: string) =>
        world.account.commands(language, { type });
      expect(menu("all_group_chats", "en").map(({ command }) => command)).not.toContain("new");
      expect(menu("all_chat_administrators", "en").map(({ command }) => command)).toContain("new");
      expect(menu("all_group_chats", "ru")).toContainEqual({
        command: "forget",
        description: "Стереть сейчас мои вопросы",
      });
    });
  });

  it("takes a few questions behind a running answer and says once that it takes no more; talk is no question", async () => {
    await using world = await startBotWorld({ bot: { readsAllGroupMessages: true } });
    const { anna, boris } = await group(world);
    const held = heldScript("Half of ", "it");
    world.answerer.script = held.script;
    await anna.send("/ask the first");
    await sent(world, "Half of");
    for (let n = 0; n < 10; n++) await boris.send(`Just talk ${n}`);
    for (let n = 2; n <= 9; n++) await boris.send(`@bombyx_bot number ${n}?`);
    await sent(world, "One after the other");
    held.release(".");
    await expect.poll(() => world.answerer.asked.length).toBe(5);
    await anna.send("/ask the last");
    await expect.poll(() => world.answerer.asked.at(-1)).toBe("the last");
    expect(world.answerer.asked).toEqual([
      "the first",
      "number 2?",
      "number 3?",
      "number 4?",
      "number 5?",
      "the last",
    ]);
    expect(
      world
        .calls("sendRichMessage", "sendMessage")
        .filter(({ payload }) => JSON.stringify(payload).includes("One after the other")),
    ).toHaveLength(1);
  });

  it("a reply to the bot goes on with what the group said before; each person pays for their own question", async () => {
    await using world = await startBotWorld();
    const { id, anna, boris } = await group(world);
    await anna.send("@bombyx_bot who spins silk?");
    const { messageId } = await sent(world, "You asked: who spins silk?");
    await boris.send("and why?", { replyTo: messageId });
    await sent(world, "You asked: and why?");
    expect(world.answerer.questions.at(-1)).toMatchObject({
      userId: boris.person.id,
      seat: `${id}/0`,
      messages: [
        { role: "user", content: "who spins silk?" },
        { role: "assistant", content: "You asked: who spins silk?" },
        { role: "user", content: "and why?" },
      ],
    });
  });

  it("a mention in a reply to somebody asks about their words", async () => {
    await using world = await startBotWorld();
    const { anna, boris } = await group(world);
    const said = await boris.send("Silk is a protein.");
    await anna.send("@bombyx_bot is that true?", { replyTo: said.message_id });
    await sent(world, "is that true?");
    expect(world.answerer.asked).toEqual(["> Silk is a protein.\n\nis that true?"]);
  });

  it("each topic of a forum is a conversation of its own", async () => {
    await using world = await startBotWorld();
    const { anna } = await group(world, true);
    const silk = await anna.createTopic("Silk");
    await anna.send("@bombyx_bot about silk", { threadId: silk });
    const { payload } = await sent(world, "…");
    expect(payload.message_thread_id).toBe(silk);
    await sent(world, "You asked: about silk");
    await anna.send("@bombyx_bot in general");
    await sent(world, "You asked: in general");
    expect(world.answerer.questions.map(({ messages }) => messages.length)).toEqual([1, 1]);
  });

  it("forgets a group that removes it", async () => {
    await using world = await startBotWorld();
    const { place, anna } = await group(world);
    await anna.send("@bombyx_bot remember this");
    await sent(world, "You asked: remember this");
    await place.remove(world.account);
    await place.add(world.account);
    await world.telegram.until(
      () => world.calls("sendMessage").filter((call) => wordsOf(call).includes("Mention me")).length === 2,
    );
    await anna.send("@bombyx_bot what?");
    await sent(world, "You asked: what?");
    expect(world.answerer.questions.at(-1)?.messages).toHaveLength(1);
  });
});
