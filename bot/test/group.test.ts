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
        inline_keyboard: [[{ text: "🔄 Try again", callback_data: expect.stringMatching(/^retry:/) }]],
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
    expect(await boris.press(messageId, "🔄 Try again")).toMatchObject({
      text: "Only the person who asked can ask again.",
    });
  });

  it.each(["/new", "/forget"])("%s ends the answer of who says it, and of nobody else", async (command) => {
    await using world = await startBotWorld();
    const { anna, boris } = await group(world);
    world.answerer.script = heldScript("Half of ").script;
    await anna.send("/ask a long story");
    await sent(world, "Half of");
    await boris.send(command);
    await boris.send("/help");
    await sent(world, "/privacy");
    expect(world.answerer.questions[0]?.signal.aborted).toBe(false);
    await anna.send(command);
    await sent(world, "Stopped.");
    expect(world.answerer.questions[0]?.signal.aborted).toBe(true);
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
