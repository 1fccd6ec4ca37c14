import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Update } from "grammy/types";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openStore, type Store } from "./open-store.ts";
import { SealBrokenError, Sealer } from "./sealer.ts";

let dataDir: string;
let store: Store;
let now: number;
const open = (key?: Uint8Array) => openStore({ dataDir, key, historyMs: 86_400_000, now: () => now });

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "bombyx-bot-store-"));
  now = 1_000_000;
  store = await open();
});
afterEach(async () => {
  await store.close();
  rmSync(dataDir, { recursive: true });
});

const secret = "the colour of my cocoon";
const place = { chatId: 7, threadId: 0 };
const asked = (questionId = 1, question = secret) => ({
  ...place,
  userId: 7,
  questionId,
  language: "en",
  question,
});
const update = (update_id: number): Update =>
  ({
    update_id,
    message: { message_id: 1, date: 0, chat: { id: 7, type: "private", first_name: "A" }, text: secret },
  }) as Update;

/** Everything on the disk, log included. */
const disk = () =>
  readdirSync(dataDir)
    .map((file) => readFileSync(join(dataDir, file), "latin1"))
    .join("");

describe("what people wrote", () => {
  it("is nowhere on the disk in the clear", async () => {
    await store.updates.accept([update(1)]);
    const turn = await store.turns.open(asked());
    await store.turns.close(turn, `Answer: ${secret}`);
    await store.outbox.add([{ ...place, format: "rich", blocks: [{ type: "paragraph", text: secret }] }]);
    expect(disk()).toContain("bot/turns".split("/")[1]);
    expect(disk()).not.toContain("cocoon");
  });

  it("opens only where it was put: a row moved to another chat is no memory of it", async () => {
    const turn = await store.turns.open(asked());
    await store.turns.close(turn, "An answer");
    expect(await store.turns.last(place)).toMatchObject({ question: secret, answer: "An answer" });
    const file = new DatabaseSync(join(dataDir, "bot.sqlite"));
    file.exec("UPDATE turns SET chat_id = 8");
    file.close();
    expect(await store.turns.last({ chatId: 8, threadId: 0 })).toBeUndefined();
  });

  it("does not open with another key, and the start says what to do", async () => {
    await store.close();
    await expect(open(new Uint8Array(32).fill(1))).rejects.toThrow(/written with another key.*BOT_STORE_KEY/);
    store = await open();
    expect(statSync(join(dataDir, "store.key")).mode & 0o777).toBe(0o600);
  });

  it("is gone when its time is over, also from the file", async () => {
    const turn = await store.turns.open(asked());
    now += 86_399_999;
    await store.sweep();
    expect(await store.turns.last(place)).toMatchObject({ id: turn.id });
    const sealed = sealedBytes();
    expect(disk()).toContain(sealed);
    now += 1;
    await store.sweep();
    expect(await store.turns.last(place)).toBeUndefined();
    expect(disk()).not.toContain(sealed);
  });

  it("is gone when it is erased, in this topic and no other", async () => {
    await store.turns.open(asked());
    await store.turns.open({ ...asked(2), threadId: 5 });
    expect(await store.turns.erase(place)).toBe(1);
    expect(await store.turns.last(place)).toBeUndefined();
    expect(await store.turns.last({ chatId: 7, threadId: 5 })).toBeDefined();
  });
});

function sealedBytes(): string {
  const file = new DatabaseSync(join(dataDir, "bot.sqlite"), { readOnly: true });
  const row = file.prepare("SELECT question FROM turns").get();
  file.close();
  return Buffer.from(row?.question as Uint8Array)
    .subarray(0, 24)
    .toString("latin1");
}

describe("a sealed text", () => {
  const sealer = new Sealer(new Uint8Array(32).fill(7));
  const sealed = sealer.seal(secret, ["turns", "question", 7, "a"]);

  it("opens at its place", () => expect(sealer.open(sealed, ["turns", "question", 7, "a"])).toBe(secret));

  it.each([
    ["another chat", sealed, ["turns", "question", 8, "a"]],
    ["another column", sealed, ["turns", "answer", 7, "a"]],
    ["a flipped bit", sealed.with(-1, (sealed.at(-1) ?? 0) ^ 1), ["turns", "question", 7, "a"]],
    ["nothing", new Uint8Array(), ["turns", "question", 7, "a"]],
  ] as const)("does not open with %s", (_what, bytes, where) => {
    expect(() => sealer.open(bytes, where)).toThrow(SealBrokenError);
  });

  it("never looks the same twice", () => {
    expect(sealer.seal(secret, ["turns", "question", 7, "a"])).not.toEqual(sealed);
  });
});

describe("updates", () => {
  it("are new once, also after a restart", async () => {
    expect(await store.updates.accept([update(1), update(2)])).toHaveLength(2);
    expect((await store.updates.accept([update(2), update(3)])).map(({ update_id }) => update_id)).toEqual([
      3,
    ]);
    await store.updates.begin(1);
    await store.updates.done(1);
    await store.close();
    store = await open();
    expect(await store.updates.accept([update(1)])).toEqual([]);
    expect(
      (await store.updates.pending()).map(({ update: { update_id }, attempts }) => [update_id, attempts]),
    ).toEqual([
      [2, 0],
      [3, 0],
    ]);
    expect((await store.updates.pending())[0]?.update).toEqual(update(2));
  });

  it("that somebody else wrote into the file stop no start", async () => {
    await store.updates.accept([update(1), update(2)]);
    const file = new DatabaseSync(join(dataDir, "bot.sqlite"));
    file.exec("UPDATE updates SET body = (SELECT body FROM updates WHERE update_id = 1) WHERE update_id = 2");
    file.close();
    expect((await store.updates.pending()).map(({ update: { update_id } }) => update_id)).toEqual([1]);
  });

  it("are remembered for two days, longer than Telegram delivers one", async () => {
    await store.updates.accept([update(1)]);
    now += 47 * 3_600_000;
    await store.sweep();
    expect(await store.updates.accept([update(1)])).toEqual([]);
    now += 2 * 3_600_000;
    await store.sweep();
    expect(await store.updates.accept([update(1)])).toHaveLength(1);
  });
});

describe("the outbox", () => {
  const message = (words: string) => ({
    ...place,
    format: "rich" as const,
    blocks: [{ type: "paragraph" as const, text: words }],
  });
  const heads = async () => {
    const words: unknown[] = [];
    for (let row = await store.outbox.head(7); row; row = await store.outbox.head(7)) {
      words.push(row.message.blocks[0]);
      await store.outbox.remove(row.id);
    }
    return words.map((block) => Reflect.get(Object(block), "text"));
  };

  it("keeps the order of a chat, also when one message becomes several", async () => {
    await store.outbox.add([message("a"), message("b"), message("c")]);
    await store.outbox.add([message("d")]);
    const first = await store.outbox.head(7);
    await store.outbox.replace(first?.id ?? "", [message("a1"), message("a2")]);
    expect(await heads()).toEqual(["a1", "a2", "b", "c", "d"]);
  });

  it("keeps an answer and its messages together", async () => {
    const turn = await store.turns.open(asked());
    const failing = store.together(async ({ turns, outbox }) => {
      await turns.close(turn, "An answer");
      await outbox.add([message("An answer")]);
      throw new Error("the power goes");
    });
    await expect(failing).rejects.toThrow("the power goes");
    expect(await store.turns.last(place)).toMatchObject({ state: "open" });
    expect(await store.outbox.head(7)).toBeUndefined();
  });
});

describe("what is to be forgotten", () => {
  it("is erased where it waits, and nothing else", async () => {
    await store.updates.accept([update(1), update(2), update(5)]);
    await store.updates.begin(1);
    await store.outbox.add([
      { ...place, format: "rich", blocks: [{ type: "paragraph", text: secret }] },
      { ...place, threadId: 3, format: "rich", blocks: [{ type: "paragraph", text: "another topic" }] },
    ]);
    await store.outbox.erase(place);
    await store.updates.eraseBefore(3, ({ message }) => message?.chat.id === 7);
    await store.updates.eraseBefore(9, ({ message }) => message?.chat.id === 8);
    expect(await store.outbox.head(7)).toMatchObject({ message: { threadId: 3 } });
    expect((await store.updates.pending()).map(({ update }) => update.update_id)).toEqual([5]);
    // One that a timer still holds is not handled after all.
    expect(await store.updates.begin(1)).toBeUndefined();
    expect(await store.updates.begin(5)).toBe(1);
    expect(await store.updates.accept([update(1)])).toEqual([]);
  });
});
