import type { RichBlock } from "@grammyjs/types";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { refusal } from "../test-bot.ts";
import { RICH_LIMITS } from "./limits.ts";
import { readRichMessage, richInput } from "./rich-message.ts";

const place = { isDraft: false, isPrivate: true };
const markdown = (source: string) => readRichMessage(richInput.parse({ markdown: source }), place).blocks;
const html = (source: string) => readRichMessage(richInput.parse({ html: source }), place).blocks;

describe("rich Markdown", () => {
  it.each<[string, string, RichBlock[]]>([
    [
      "a heading",
      "## Two *words*",
      [{ type: "heading", size: 2, text: ["Two ", { type: "italic", text: "words" }] }],
    ],
    ["soft line breaks as spaces", "one\ntwo", [{ type: "paragraph", text: "one two" }]],
    [
      "code with its language",
      "```ts\nlet a = 1;\n```",
      [{ type: "pre", text: "let a = 1;", language: "ts" }],
    ],
    ["a fence that is still open", "```ts\nlet a", [{ type: "pre", text: "let a", language: "ts" }]],
    ["a formula", "$$\nE = mc^2\n$$", [{ type: "mathematical_expression", expression: "E = mc^2" }]],
    ["a divider", "a\n\n---", [{ type: "paragraph", text: "a" }, { type: "divider" }]],
    [
      "Telegram's own marks",
      "==lit== and ||hidden||",
      [
        {
          type: "paragraph",
          text: [{ type: "marked", text: "lit" }, " and ", { type: "spoiler", text: "hidden" }],
        },
      ],
    ],
    ["a mark without its partner as it stands", "a == b", [{ type: "paragraph", text: "a == b" }]],
    [
      "HTML that formats",
      "<u>under</u> it",
      [{ type: "paragraph", text: [{ type: "underline", text: "under" }, " it"] }],
    ],
    [
      "a link and what it finds by itself",
      "[here](https://ton.org/x) @durov_x",
      [
        {
          type: "paragraph",
          text: [
            { type: "url", text: "here", url: "https://ton.org/x" },
            " ",
            { type: "mention", text: "@durov_x", username: "durov_x" },
          ],
        },
      ],
    ],
    [
      "tasks",
      "- [x] done\n- [ ] open",
      [
        {
          type: "list",
          items: [
            {
              label: "•",
              blocks: [{ type: "paragraph", text: "done" }],
              has_checkbox: true,
              is_checked: true,
            },
            { label: "•", blocks: [{ type: "paragraph", text: "open" }], has_checkbox: true },
          ],
        },
      ],
    ],
    [
      "a disclosure around Markdown",
      "<details open><summary>More **now**</summary>\n\n- item\n\n</details>\n\nafter",
      [
        {
          type: "details",
          summary: ["More ", { type: "bold", text: "now" }],
          blocks: [{ type: "list", items: [{ label: "•", blocks: [{ type: "paragraph", text: "item" }] }] }],
          is_open: true,
        },
        { type: "paragraph", text: "after" },
      ],
    ],
  ])("reads %s", (_, source, expected) => {
    expect(markdown(source)).toEqual(expected);
  });

  it("reads a table with its alignment", () => {
    expect(markdown("| A | B |\n|:--|--:|\n| 1 | 2 |")).toEqual([
      {
        type: "table",
        cells: [
          [
            { text: "A", is_header: true, align: "left", valign: "middle" },
            { text: "B", is_header: true, align: "right", valign: "middle" },
          ],
          [
            { text: "1", align: "left", valign: "middle" },
            { text: "2", align: "right", valign: "middle" },
          ],
        ],
      },
    ]);
  });

  it.each([
    ["a script", "<script>alert(1)</script>"],
    ["a javascript: link", "[x](javascript:alert)"],
  ])("makes nothing of %s", (_, source) => {
    const shown = JSON.stringify(markdown(`text ${source}`));
    expect(shown).not.toContain("javascript:");
    expect(shown).not.toContain('"script"');
  });

  it("fetches no picture", () => {
    expect(refusal(() => markdown("![](https://evil.example/a.png)"))).toBe(
      "Bad Request: failed to get HTTP URL content",
    );
  });

  it("reads or refuses any text, and every beginning of it", () => {
    const pieces = fc.constantFrom(
      "# ",
      "**",
      "_",
      "`",
      "```",
      "\n",
      "\n\n",
      "- ",
      "1. ",
      "> ",
      "|",
      "|-|",
      "||",
      "==",
      "$",
      "$$",
      "<u>",
      "</u>",
      "<details>",
      "[",
      "](",
      ")",
      "😀",
      "a ",
      "<b",
      "&amp;",
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => {
        const source = parts.join("");
        for (let cut = 1; cut <= source.length; cut += 7) {
          const answer = refusal(() => markdown(source.slice(0, cut)));
          expect(answer).toMatch(/^(nothing was refused|Bad Request: rich message must be non-empty)$/);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe("rich HTML", () => {
  it("reads blocks, buttons and lists", () => {
    expect(
      html(
        '<h1>Title</h1><p>Some <b>bold</b></p><ol start="3"><li>three</li></ol><tg-button-row align="center"><tg-button type="callback_data" data="go">Go</tg-button></tg-button-row>',
      ),
    ).toEqual([
      { type: "heading", size: 1, text: "Title" },
      { type: "paragraph", text: ["Some ", { type: "bold", text: "bold" }] },
      {
        type: "list",
        items: [{ label: "3.", blocks: [{ type: "paragraph", text: "three" }], value: 3, type: "1" }],
      },
      { type: "buttons", buttons: [{ text: "Go", callback_data: "go" }], align: "center" },
    ]);
  });

  it("refuses a tag that Telegram does not have", () => {
    expect(refusal(() => html("<marquee>x</marquee>"))).toBe(
      'Bad Request: can\'t parse entities: Unsupported start tag "marquee"',
    );
  });

  it("refuses a button with more data than 64 bytes", () => {
    const row = (data: string) =>
      `<p>x</p><tg-button-row><tg-button type="callback_data" data="${data}">Go</tg-button></tg-button-row>`;
    expect(refusal(() => html(row("d".repeat(65))))).toBe("Bad Request: BUTTON_DATA_INVALID");
    expect(refusal(() => html(row("d".repeat(64))))).toBe("nothing was refused");
  });
});

describe("rich limits", () => {
  it.each([
    ["characters", "😀".repeat(RICH_LIMITS.characters), "😀", "message is too long"],
    [
      "blocks",
      "a\n\n".repeat(RICH_LIMITS.blocks),
      "b",
      "rich message has 501 blocks; at most 500 are allowed",
    ],
    ["columns", row(RICH_LIMITS.columns), "x|", "rich message has 21 columns; at most 20 are allowed"],
    // A quotation in a quotation …, and the paragraph in the innermost one.
    [
      "levels",
      `${"> ".repeat(RICH_LIMITS.levels - 1)}a`,
      undefined,
      "rich message has 17 levels; at most 16 are allowed",
    ],
  ])("takes as many %s as allowed, and not one more", (name, most, more, description) => {
    expect(refusal(() => markdown(most))).toBe("nothing was refused");
    const over =
      name === "columns" ? row(RICH_LIMITS.columns + 1) : more === undefined ? `> ${most}` : most + more;
    expect(refusal(() => markdown(over))).toBe(`Bad Request: ${description}`);
  });

  it("keeps the thinking block for drafts", () => {
    const input = richInput.parse({ blocks: [{ type: "thinking", text: "Looking" }] });
    expect(refusal(() => readRichMessage(input, place))).toBe("Bad Request: RICH_MESSAGE_THINKING_UNALLOWED");
    expect(readRichMessage(input, { ...place, isDraft: true }).blocks).toEqual([
      { type: "thinking", text: "Looking" },
    ]);
  });
});

function row(columns: number): string {
  return `${"x|".repeat(columns)}\n${"-|".repeat(columns)}\n`;
}
