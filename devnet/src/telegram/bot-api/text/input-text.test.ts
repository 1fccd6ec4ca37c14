import type { MessageEntity } from "@grammyjs/types";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { refusal } from "../test-bot.ts";
import { detectEntities } from "./detect-entities.ts";
import { fixFormattedText } from "./formatted-text.ts";
import { readText } from "./input-text.ts";

const limit = { max: 4_096, tooLong: "message is too long" };
const read = (text: string, parse_mode: string) => readText({ text, parse_mode }, limit);

describe("parse_mode HTML", () => {
  it.each<[string, string, MessageEntity[]]>([
    ["<b>bold</b> rest", "bold rest", [{ type: "bold", offset: 0, length: 4 }]],
    ["😀<i>a &lt; b</i>", "😀a < b", [{ type: "italic", offset: 2, length: 5 }]],
    [
      "<b>a<i>b</i></b>",
      "ab",
      [
        { type: "bold", offset: 0, length: 2 },
        { type: "italic", offset: 1, length: 1 },
      ],
    ],
    [
      '<a href="https://ton.org/a">x</a>',
      "x",
      [{ type: "text_link", offset: 0, length: 1, url: "https://ton.org/a" }],
    ],
    [
      '<pre><code class="language-ts">let</code></pre>',
      "let",
      [{ type: "pre", offset: 0, length: 3, language: "ts" }],
    ],
    ["<blockquote expandable>q</blockquote>", "q", [{ type: "expandable_blockquote", offset: 0, length: 1 }]],
    ['<span class="tg-spoiler">s</span>', "s", [{ type: "spoiler", offset: 0, length: 1 }]],
    [
      '<tg-time unix="1647531900" format="wDT">then</tg-time>',
      "then",
      [{ type: "date_time", offset: 0, length: 4, unix_time: 1_647_531_900, date_time_format: "wDT" }],
    ],
    ["&#128512;&euro;", "😀&euro;", []],
  ])("reads %s", (source, text, entities) => {
    expect(read(source, "HTML")).toEqual({ text, entities });
  });

  it.each([
    ["ä<p>x</p>", 'Unsupported start tag "p" at byte offset 2'],
    ["<b>x", 'Can\'t find end tag corresponding to start tag "b"'],
    ["x</b>", "Unexpected end tag at byte offset 1"],
    ["<b>x</i>", 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'],
    ["a < b", 'Unsupported start tag "" at byte offset 2'],
    ["a <b", "Unclosed start tag at byte offset 2"],
    ['<span class="x">y</span>', 'Tag "span" must have class "tg-spoiler" at byte offset 0'],
  ])("refuses %s in Telegram's words", (source, reason) => {
    expect(refusal(() => read(source, "HTML"))).toBe(`Bad Request: can't parse entities: ${reason}`);
  });
});

describe("parse_mode MarkdownV2", () => {
  it.each<[string, string, MessageEntity[]]>([
    [
      "*bold* _it_ __u__ ~s~ ||h||",
      "bold it u s h",
      [
        { type: "bold", offset: 0, length: 4 },
        { type: "italic", offset: 5, length: 2 },
        { type: "underline", offset: 8, length: 1 },
        { type: "strikethrough", offset: 10, length: 1 },
        { type: "spoiler", offset: 12, length: 1 },
      ],
    ],
    ["1\\. a", "1. a", []],
    ["`a*b`", "a*b", [{ type: "code", offset: 0, length: 3 }]],
    ["```ts\nlet```", "let", [{ type: "pre", offset: 0, length: 3, language: "ts" }]],
    [
      "[x](https://ton.org/\\)a)",
      "x",
      [{ type: "text_link", offset: 0, length: 1, url: "https://ton.org/)a" }],
    ],
    [">one\n>two\nrest", "one\ntwo\nrest", [{ type: "blockquote", offset: 0, length: 8 }]],
    [">one||", "one", [{ type: "expandable_blockquote", offset: 0, length: 3 }]],
    [
      "![👍](tg://emoji?id=5368324170671202286)",
      "👍",
      [{ type: "custom_emoji", offset: 0, length: 2, custom_emoji_id: "5368324170671202286" }],
    ],
  ])("reads %s", (source, text, entities) => {
    expect(read(source, "MarkdownV2")).toEqual({ text, entities });
  });

  it.each([
    ["1. a", "Character '.' is reserved and must be escaped with the preceding '\\'"],
    ["ä *a", "Can't find end of Bold entity at byte offset 3"],
    ["```ts\nlet", "Can't find end of PreCode entity at byte offset 0"],
    ["[a](http://x", "Can't find end of a URL at byte offset 4"],
    ["a|b", "Character '|' is reserved and must be escaped with the preceding '\\'"],
  ])("refuses %s in Telegram's words", (source, reason) => {
    expect(refusal(() => read(source, "MarkdownV2"))).toBe(`Bad Request: can't parse entities: ${reason}`);
  });
});

describe("entities", () => {
  it.each<[string, string, MessageEntity, string]>([
    [
      "outside the text",
      "abc",
      { type: "bold", offset: 3, length: 1 },
      "entity begins after the end of the text at UTF-16 offset 3",
    ],
    [
      "past its end",
      "abc",
      { type: "bold", offset: 1, length: 9 },
      "entity beginning at UTF-16 offset 1 ends after the end of the text at UTF-16 offset 10",
    ],
    [
      "that begins inside a pair",
      "a😀b",
      { type: "bold", offset: 2, length: 1 },
      "entity begins in a middle of a UTF-16 symbol at byte offset",
    ],
    [
      "that ends inside a pair",
      "a😀b",
      { type: "bold", offset: 0, length: 2 },
      "entity beginning at UTF-16 offset 0 ends in a middle of a UTF-16 symbol at byte offset",
    ],
  ])("refuses one %s", (_, text, entity, reason) => {
    expect(refusal(() => readText({ text, entities: [entity] }, limit))).toContain(`Bad Request: ${reason}`);
  });

  it("follow a text that is trimmed", () => {
    const text = "  \n hi \n";
    expect(fixFormattedText(text, [{ type: "bold", offset: 4, length: 3 }])).toEqual({
      text: "hi",
      entities: [{ type: "bold", offset: 0, length: 2 }],
    });
  });

  it("that cross are cut so that they nest", () => {
    const crossing: MessageEntity[] = [
      { type: "bold", offset: 0, length: 4 },
      { type: "text_link", offset: 2, length: 4, url: "https://ton.org/" },
    ];
    expect(fixFormattedText("abcdef", crossing).entities).toEqual([
      { type: "bold", offset: 0, length: 2 },
      { type: "text_link", offset: 2, length: 4, url: "https://ton.org/" },
      { type: "bold", offset: 2, length: 2 },
    ]);
  });

  it("come out nested, inside the text and on whole characters, whatever came in", () => {
    const types = fc.constantFrom("bold", "italic", "code", "pre", "blockquote", "spoiler");
    const entity = fc.record({
      type: types,
      offset: fc.nat(30),
      length: fc.nat(30),
    }) as fc.Arbitrary<MessageEntity>;
    const text = fc.string({ unit: fc.constantFrom("a", " ", "\n", "😀", "\r", "ä"), maxLength: 30 });
    fc.assert(
      fc.property(text, fc.array(entity, { maxLength: 6 }), (source, given) => {
        const units = given.filter((one) => {
          const last = one.offset + one.length;
          const isWhole = (at: number) => !/[\udc00-\udfff]/.test(source[at] ?? "");
          return last <= source.length && one.offset < source.length && isWhole(one.offset) && isWhole(last);
        });
        const { text, entities } = fixFormattedText(source, units);
        expect(text.isWellFormed()).toBe(true);
        for (const one of entities) {
          expect(one.length).toBeGreaterThan(0);
          expect(one.offset + one.length).toBeLessThanOrEqual(text.length);
          expect(text.slice(one.offset, one.offset + one.length).isWellFormed()).toBe(true);
          for (const other of entities) {
            const crosses =
              one.offset < other.offset &&
              other.offset < one.offset + one.length &&
              one.offset + one.length < other.offset + other.length;
            expect(crosses, JSON.stringify([one, other])).toBe(false);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe("what Telegram finds by itself", () => {
  it.each([
    ["/start@echo_bot go", ["bot_command"]],
    ["hi @durov_x and a@b.org", ["mention", "email"]],
    ["see https://ton.org/a?b=1. Then t.me/x", ["url", "url"]],
    ["#tag $TON +1 (212) 555-0123", ["hashtag", "cashtag", "phone_number"]],
    ["1/2 a@b x#y C# 5$", []],
    ["javascript:alert(1) file:///etc/passwd", []],
  ])("in %s", (text, types) => {
    expect(detectEntities(text, []).map(({ type }) => type)).toEqual(types);
  });

  it("leaves code alone", () => {
    const code: MessageEntity[] = [{ type: "code", offset: 0, length: 6 }];
    expect(detectEntities("/start", code)).toEqual(code);
  });
});

describe("length", () => {
  it("counts UTF-16 code units after entities are parsed", () => {
    expect(refusal(() => read(`<b>${"a".repeat(4_096)}</b>`, "HTML"))).toBe("nothing was refused");
    expect(refusal(() => read("😀".repeat(2_049), ""))).toBe("Bad Request: message is too long");
  });
});
