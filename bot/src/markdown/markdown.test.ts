import fc from "fast-check";
import type { MessageEntity } from "grammy/types";
import { describe, expect, it } from "vitest";
import { type Block, blockCount, type Inline } from "./block.ts";
import { formatText } from "./entities.ts";
import { GrowingMarkdown, readMarkdown } from "./read-markdown.ts";
import { richLimits, splitBlocks, textLimits } from "./split.ts";

const marked = (text: string): string[] => {
  const formatted = formatText(readMarkdown(text));
  return formatted.entities.map(
    (entity) => `${entity.type}:${formatted.text.slice(entity.offset, entity.offset + entity.length)}`,
  );
};

describe("Markdown becomes text with entities", () => {
  it.each([
    ["**bold** and *italic* and ~~gone~~", ["bold:bold", "italic:italic", "strikethrough:gone"]],
    ["Call `f(x)` now", ["code:f(x)"]],
    ["# Title\n\ntext", ["bold:Title"]],
    ["> quoted\n> twice\n\nnot", ["blockquote:quoted\ntwice"]],
    ["👩‍👩‍👧 **bold 🦋** end", ["bold:bold 🦋"]],
    ["```python\nprint(1)\n```", ["pre:print(1)"]],
    ["**a `b` c**", ["bold:a ", "code:b", "bold: c"]],
    ["see https://bombyx.example/x.", ["text_link:https://bombyx.example/x"]],
  ])("%s", (text, expected) => expect(marked(text)).toEqual(expected));

  it("writes formulas as code", () => {
    expect(marked(`${String.raw`So \(a^2\) it is:`}\n\n\\[\nb_1 * c\n\\]`)).toEqual([
      "code:a^2",
      "pre:b_1 * c",
    ]);
  });

  it("writes lists, tasks and tables as lines", () => {
    const { text } = formatText(
      readMarkdown("- a\n- b\n  1. c\n\n- [x] done\n\n| k | value |\n|---|---|\n| x | 1 |"),
    );
    expect(text).toBe("• a\n• b\n  1. c\n☑ done\n\nk | value\nx | 1");
  });

  it("names the language of code", () => {
    expect(formatText(readMarkdown("```ts\nlet a\n```")).entities).toEqual([
      { type: "pre", language: "ts", offset: 0, length: 5 },
    ]);
  });
});

describe("formulas become blocks that Telegram draws", () => {
  const formula = (expression: string) => ({ type: "mathematical_expression", expression }) as const;

  it.each<[string, Block[]]>([
    [
      String.raw`With \(a_1 * b * c\) and $x^2$, $5 or $10`,
      [
        {
          type: "paragraph",
          text: ["With ", formula("a_1 * b * c"), " and ", formula("x^2"), ", $5 or $10"],
        },
      ],
    ],
    [String.raw`\[ \{x\} - y \]`, [formula(String.raw`\{x\} - y`)]],
    ["$$\na\n- b\n$$", [formula("a\n- b")]],
    ["`$a$`", [{ type: "paragraph", text: { type: "code", text: "$a$" } }]],
  ])("%s", (text, blocks) => expect(readMarkdown(text)).toEqual(blocks));

  it("read in pieces as at once", () => {
    const text = `${String.raw`# A \(b\)`}\n\nSo \\(a\\)\n\n\\[\nc\n\n- d\n\\]\n\n- $e$ is $5\n- and $$f$$\n\ndone`;
    const growing = new GrowingMarkdown();
    for (let end = 1; end <= text.length; end++) {
      const so = text.slice(0, end);
      expect(growing.read(so), JSON.stringify(so.slice(-20))).toEqual(readMarkdown(so));
    }
  });

  it("longer than a message are cut as code", () => {
    const parts = splitBlocks(
      [{ type: "mathematical_expression", expression: "x + ".repeat(2_000) }],
      textLimits,
    );
    expect(new Set(parts.flat().map(({ type }) => type))).toEqual(new Set(["pre"]));
  });
});

describe("hostile output", () => {
  it.each([
    "[tap me](tg://resolve?domain=evil)",
    "[tap me](javascript:alert(1))",
    "[tap me](data:text/html,x)",
    "[tap me](https://bank.com@evil.example/)",
    "[tap me](http://localhost/)",
    "<a href='https://evil.example'>tap me</a>",
    "<tg-button type='callback_data' data='forget'>tap me</tg-button>",
  ])("%s makes nothing that can be tapped", (text) => {
    const blocks = readMarkdown(text);
    expect(JSON.stringify(blocks)).not.toContain('"url"');
    expect(formatText(blocks).entities).toEqual([]);
    expect(formatText(blocks).text).toContain("tap me");
  });

  it("shows a link whole, so that its words cannot lie about where it leads", () => {
    expect(readMarkdown("[my bank](https://evil.example/login)")).toEqual<Block[]>([
      {
        type: "paragraph",
        text: [
          "my bank (",
          { type: "url", text: "https://evil.example/login", url: "https://evil.example/login" },
          ")",
        ],
      },
    ]);
    expect(formatText(readMarkdown("https://аpple.example")).text).toMatch(/^https:\/\/xn--/);
  });

  it("never makes an image: nothing is fetched for it", () => {
    const text = "![a cat](https://tracker.example/cat.png?secret=1)";
    expect(JSON.stringify(readMarkdown(text))).not.toMatch(/photo|media|image/);
    expect(formatText(readMarkdown(text)).text).toBe("a cat (https://tracker.example/cat.png?secret=1)");
  });

  it("loses marks that turn text around, and half characters", () => {
    expect(formatText(readMarkdown("a\u202Eb\u0000c\ud83d")).text).toBe("abc\ufffd");
  });

  it.each([
    ["quotes", ">".repeat(20_000)],
    ["brackets", "[".repeat(20_000)],
    ["stars", "*a".repeat(10_000)],
    ["mixed", "**_~`[(".repeat(3_000)],
    ["nested lists", Array.from({ length: 150 }, (_, i) => `${"  ".repeat(i)}- x`).join("\n")],
  ])("of absurd %s is read within a second", (_what, text) => {
    // Of this process, whatever else the machine does.
    const begun = process.cpuUsage();
    expect(formatText(readMarkdown(text)).text).not.toBe("");
    expect(process.cpuUsage(begun).user / 1_000).toBeLessThan(1_000);
  });
});

/** A document with everything in it. */
const long = `# Silk 🐛

Silk is **strong**, *light* and ~~cheap~~ \`warm\`. 👨‍👩‍👧‍👦 See [more](https://bombyx.example/silk).

1. Reel
2. Twist
   - left
   - right

> A worm
>
> \`\`\`
> spins
> \`\`\`

\`\`\`python
for worm in range(3):
    print("🦋" * worm)
\`\`\`

| stage | days |
|:------|-----:|
| egg   | 10   |
| larva | **26** |

- [x] wound
- [ ] woven

---

The end, ![cocoon](https://img.example/c.png) and [^1].

[^1]: A note.
`;

function expectSound(blocks: readonly Block[]): void {
  const { text, entities } = formatText(blocks);
  expect(text.isWellFormed()).toBe(true);
  expect(text).toBe(text.trim());
  expect(entities.length).toBeLessThanOrEqual(100);
  for (const { offset, length } of entities) {
    expect(offset).toBeGreaterThanOrEqual(0);
    expect(length).toBeGreaterThan(0);
    expect(offset + length).toBeLessThanOrEqual(text.length);
    expect(text.slice(offset, offset + length).isWellFormed()).toBe(true);
  }
  const nests = (outer: MessageEntity, inner: MessageEntity) =>
    inner.offset >= outer.offset + outer.length || inner.offset + inner.length <= outer.offset + outer.length;
  entities.forEach((entity, i) => {
    for (const later of entities.slice(i + 1)) expect(nests(entity, later)).toBe(true);
  });
  for (const block of blocks) expectFilled(block);
}

/** Telegram refuses empty text. */
function expectFilled(block: Block): void {
  const words = (inline: Inline): string =>
    typeof inline === "string"
      ? inline
      : Array.isArray(inline)
        ? inline.map(words).join("")
        : inline.type === "mathematical_expression"
          ? inline.expression
          : words(inline.text);
  if ("text" in block) expect(words(block.text).trim()).not.toBe("");
  if (block.type === "list") for (const item of block.items) expect(item.blocks.length).toBeGreaterThan(0);
}

describe("a document cut anywhere", () => {
  it("at every single place is sound", () => {
    // Read anew, and read as it grows: the same blocks.
    const growing = new GrowingMarkdown();
    for (let cut = 0; cut <= long.length; cut++) {
      const blocks = readMarkdown(long.slice(0, cut));
      expectSound(blocks);
      expect(growing.read(long.slice(0, cut))).toEqual(blocks);
    }
  });

  it("of any pieces of Markdown is sound, and so is each of its messages", () => {
    const bits = [
      "**",
      "_",
      "`",
      "```\n",
      "# ",
      "- ",
      "1. ",
      "> ",
      "| a | b |\n|---|---|\n",
      "\n",
      "\n\n",
      " ",
      "[a](",
      ")",
      "https://x.example",
      "🦋",
      "word",
      "\ud83d",
      "<b>",
      "\\",
      "~~",
      "![",
      "|",
    ];
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constantFrom(...bits), fc.string({ unit: "grapheme", maxLength: 6 })), {
          maxLength: 60,
        }),
        (parts) => {
          const blocks = readMarkdown(parts.join(""));
          const growing = new GrowingMarkdown();
          for (let i = 1; i < parts.length; i += 7) expectSound(growing.read(parts.slice(0, i).join("")));
          expectSound(blocks);
          for (const message of splitBlocks(blocks, { characters: 200, blocks: 12 })) {
            expectSound(message);
            expect(formatText(message).text.length).toBeLessThanOrEqual(200);
          }
        },
      ),
      { numRuns: 250 },
    );
  });
});

describe("a long answer", () => {
  const text = Array.from({ length: 60 }, (_, i) => `${long}\nPart ${i}`).join("\n\n");

  it.each([
    ["classic", textLimits],
    ["rich", richLimits],
  ])("is split into %s messages that lose no word", (_kind, limits) => {
    const blocks = readMarkdown(text);
    const messages = splitBlocks(blocks, limits);
    expect(messages.length).toBeGreaterThan(1);
    for (const message of messages) {
      expectSound(message);
      expect(formatText(message).text.length).toBeLessThanOrEqual(limits.characters);
      expect(message.map(blockCount).reduce((a, b) => a + b)).toBeLessThanOrEqual(limits.blocks);
    }
    const words = (all: readonly Block[][]) =>
      all
        .map((message) => formatText(message).text)
        .join(" ")
        .match(/\p{L}+/gu);
    expect(words(messages)).toEqual(words([blocks]));
  });

  it("keeps code as code in every part, cut between lines", () => {
    const code = Array.from({ length: 900 }, (_, i) => `const line${i} = "🦋";`).join("\n");
    const messages = splitBlocks(readMarkdown(`\`\`\`ts\n${code}\n\`\`\``), textLimits);
    expect(messages.length).toBeGreaterThan(4);
    for (const [block] of messages) {
      expect(block).toMatchObject({ type: "pre", language: "ts" });
      expect(block?.type === "pre" && block.text).toMatch(/^const line\d+ = "🦋";[\s\S]*;$/);
    }
    expect(messages.map(([block]) => (block?.type === "pre" ? block.text : "")).join("\n")).toBe(code);
  });

  it("never cuts a character, even in a word without an end", () => {
    const family = "👨‍👩‍👧‍👦";
    const messages = splitBlocks(readMarkdown(family.repeat(1_500)), textLimits);
    for (const message of messages) expect(formatText(message).text.replaceAll(family, "")).toBe("");
  });
});
