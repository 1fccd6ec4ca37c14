import type { Message } from "@grammyjs/types";
import { describe, expect, it } from "vitest";
import { chatLines, readUpTo } from "./chat-lines.ts";

const ada = 1;
const bot = 2;
const noon = Date.UTC(2026, 10, 22, 12) / 1_000;
const message = (message_id: number, from: number, date: number, rest: object = {}) =>
  ({
    message_id,
    date,
    from: { id: from, is_bot: from === bot, first_name: "" },
    text: "…",
    ...rest,
  }) as Message;

describe("the lines of a chat", () => {
  it("begin each day with its date, and put what one person says in a row together", () => {
    const lines = chatLines(
      [
        message(1, ada, noon),
        message(2, ada, noon + 60),
        message(3, bot, noon + 90),
        message(4, ada, noon + 24 * 3_600),
        message(5, ada, noon + 24 * 3_600 + 600),
      ],
      ada,
    );
    expect(
      lines.map((line) =>
        line.kind === "day" ? "day" : [line.message.message_id, line.isMine, line.isFirst, line.isLast],
      ),
    ).toEqual([
      "day",
      [1, true, true, false],
      [2, true, false, true],
      [3, false, true, true],
      "day",
      [4, true, true, true],
      [5, true, true, true],
    ]);
  });

  it("part a row where something happened in the group", () => {
    const joined = message(2, ada, noon + 1, { new_chat_members: [] });
    const lines = chatLines([message(1, ada, noon), joined, message(3, ada, noon + 2)], ada);
    expect(lines.flatMap((line) => (line.kind === "day" ? [] : [[line.isFirst, line.isLast]]))).toEqual([
      [true, true],
      [true, true],
      [true, true],
    ]);
  });
});

it("a bot has read what came before its own last word, and everything while it is busy", () => {
  const messages = [message(1, ada, noon), message(2, bot, noon), message(3, ada, noon)];
  expect(readUpTo(messages, false)).toBe(2);
  expect(readUpTo(messages, true)).toBeGreaterThan(3);
  expect(readUpTo([], false)).toBe(0);
});
