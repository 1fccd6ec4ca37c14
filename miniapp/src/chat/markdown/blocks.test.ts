import { describe, expect, it } from "vitest";
import { GrowingBlocks } from "./blocks.ts";

const document = `# Title

A paragraph with **bold**, \`code\` and a [link](https://a.example).
It has two lines.

- one
- two
  - nested

  with a paragraph
- three

\`\`\`ts
const a = 1;

// not the end: \`\`
const b = "\`\`\`";
\`\`\`

| a | b |
|---|--:|
| 1 | 2 |

> quoted
goes on

1. first
2. second

~~~~
tildes
~~~
still
~~~~

  \`\`\`js
  indented fence
  \`\`\`

Title below
===

***

The root \\(x_1 * y * z\\) of $a^2$ costs $5 or $10:
\\[
x = \\frac{-b}{2a}

- 1
\\]
- a list with $$b$$
  \\[ c \\]

# $d$

Last words.
`;

/** What a reader sees: the tree without positions, which depend on where a parse began. */
const seen = (blocks: readonly { node: unknown }[]): unknown =>
  JSON.parse(
    JSON.stringify(
      blocks.map(({ node }) => node),
      (key, value) => (key === "position" ? undefined : value),
    ),
  );

const whole = (text: string) => seen(new GrowingBlocks().update(text));

describe("blocks of a growing text", () => {
  it("are at every cut the blocks of the text so far, as one parse gives them", () => {
    const growing = new GrowingBlocks();
    for (let end = 1; end <= document.length; end++) {
      const text = document.slice(0, end);
      expect(seen(growing.update(text)), JSON.stringify(text.slice(-40))).toEqual(whole(text));
    }
  });

  it("stay the same objects once another block follows", () => {
    const growing = new GrowingBlocks();
    const [first] = growing.update("one\n\ntwo\n\nthr");
    expect(growing.update("one\n\ntwo\n\nthree and more")[0]).toBe(first);
  });

  it("know formulas, and money from them", () => {
    const [sentence, displayed] = new GrowingBlocks().update(
      `${String.raw`It is \(a_1\), for $5 or $10, and $b$.`}\n\n\\[\nc\n- d\n\\]`,
    );
    expect(seen([sentence, displayed].flatMap((block) => block ?? []))).toMatchObject([
      {
        children: [
          { value: "It is " },
          { type: "inlineMath", value: "a_1" },
          { value: ", for $5 or $10, and " },
          { type: "inlineMath", value: "b" },
          { value: "." },
        ],
      },
      { type: "math", value: "c\n- d" },
    ]);
  });

  it("keep what stands before a formula that ends", () => {
    const growing = new GrowingBlocks();
    const [first] = growing.update("one\n\ntwo\n\nthe root \\(x");
    expect(growing.update("one\n\ntwo\n\nthe root \\(x\\) of")[0]).toBe(first);
  });

  it("begin anew when the text is another", () => {
    const growing = new GrowingBlocks();
    growing.update("```\ncode");
    expect(seen(growing.update("plain"))).toEqual(whole("plain"));
  });

  it("cost little per word in a long answer, in one list and in open code too", () => {
    const paragraphs = "A sentence of some length that says nothing in particular. ".repeat(3);
    for (const [beginning, more] of [
      ["", `${paragraphs}\n\n`],
      ["```py\n", "print('a line of code')\n"],
    ] as const) {
      const growing = new GrowingBlocks();
      let text = beginning;
      while (text.length < 60_000) text += more;
      growing.update(text);
      const begun = process.cpuUsage();
      for (let word = 0; word < 200; word++) {
        text += "word ";
        growing.update(text);
      }
      // 200 words in well under the time in which they come (200 ticks are 16 s).
      expect(process.cpuUsage(begun).user / 1_000).toBeLessThan(2_000);
    }
  });

  it.each([
    ["open brackets", "[".repeat(30_000)],
    ["open emphasis", "*a ".repeat(10_000)],
    ["nested quotes", ">".repeat(5_000)],
    ["backticks", "`a``b".repeat(6_000)],
    ["dollars", "$$a$$$b".repeat(4_000)],
    ["a list without end", "- a\n".repeat(8_000)],
  ])("end in time for %s", (_, text) => {
    const begun = process.cpuUsage();
    new GrowingBlocks().update(text);
    expect(process.cpuUsage(begun).user / 1_000).toBeLessThan(4_000);
  });
});
