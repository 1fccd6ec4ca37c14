import { describe, expect, it } from "vitest";
import { withDollarFormulas } from "./index.ts";

describe("formulas of an answer", () => {
  it.each([
    [String.raw`Since \(a^2\) and $b_1*c$ hold`, "Since $$a^2$$ and $$b_1*c$$ hold"],
    [String.raw`\[ x = \frac{1}{2} \]`, "$$\nx = \\frac{1}{2}\n$$"],
    ["$$x$$", "$$\nx\n$$"],
    ["$$\na\n- b\n\n= c\n$$", "$$\na\n- b\n= c\n$$"],
    ["- so\n  \\[\n  y\n  \\]\n- next", "- so\n  $$\n  y\n  $$\n- next"],
    [String.raw`It is \[y\] here`, "It is $$y$$ here"],
    [String.raw`$\$5 + x$`, String.raw`$$\$5 + x$$`],
  ])("%s", (written, expected) => {
    expect(withDollarFormulas(written)).toBe(expected);
  });

  it.each([
    "It costs $5 and $10.",
    "between $5-$10",
    "from 20$ to 30$",
    "US$5, CA$7 and $HOME/$USER",
    "`$a$` and ``\\(b\\)``",
    "```sh\necho $A$B \\(x\\)\n$$\nx\n$$\n```",
    "   ~~~\n$x$\n   ~~~",
    "```tex\n$x$ is still being written",
    String.raw`\$a\$ and \\(b\\)`,
    String.raw`\(a

b\)`,
    "$$ $$ and $ $",
    String.raw`an open \[ x`,
  ])("are not found in %s", (written) => {
    expect(withDollarFormulas(written)).toBe(written);
  });

  it("are found in what is already brought to that way, and it stays", () => {
    const once = withDollarFormulas(`${String.raw`So \(a\), $b$.`}\n\n\\[\nc\n\\]\n\nand $$d$$ too`);
    expect(withDollarFormulas(once)).toBe(once);
  });

  it.each([
    ["brackets", String.raw`\[`],
    ["round ones", String.raw`\(a`],
    ["dollars", "$a"],
    ["double dollars", "$$a "],
    ["backticks", "`a``b"],
    ["fences", "```\n"],
    ["indents", " \t "],
  ])("cost little to look for among 60,000 characters of %s", (_, piece) => {
    const text = piece.repeat(60_000 / piece.length);
    const begun = process.cpuUsage();
    withDollarFormulas(text);
    expect(process.cpuUsage(begun).user / 1_000).toBeLessThan(1_500);
  });
});
