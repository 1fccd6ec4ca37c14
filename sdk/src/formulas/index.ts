/** How models write formulas, brought to the one way that Markdown parsers of formulas know. */

/** A formula longer than these is text: what has no end must not cost a scan of the rest for each beginning. */
const longestDisplay = 4_000;
const longestInline = 600;

/**
 * Of each kind the whole of it, so that what stands in code stays there. A `$` opens a formula where no letter is
 * before and no blank behind it, and closes one the other way round: "$5 and $10" are prices.
 */
const kinds = new RegExp(
  [
    String.raw`(?<fenced>^[ \t]*(?<mark>${"`"}{3,}|~{3,})[^\n]*(?:\n(?![ \t]*\k<mark>[^\n]*$)[^\n]*)*)`,
    String.raw`(?<code>(?<!${"`"})(?<ticks>${"`"}{1,8})(?!${"`"})[^]{1,2000}?(?<!${"`"})\k<ticks>(?!${"`"}))`,
    String.raw`(?<escaped>\\[\\$])`,
    String.raw`^(?<indent>[ \t]*)(?:\\\[(?<brackets>[^]{1,${longestDisplay}}?)\\\]|\$\$(?<dollars>[^$]{1,${longestDisplay}}?)\$\$)(?=[ \t]*$)`,
    String.raw`\\\[(?<bracketed>[^]{1,${longestInline}}?)\\\]`,
    String.raw`\\\((?<round>[^]{1,${longestInline}}?)\\\)`,
    String.raw`(?<!\$)\$\$(?!\$)(?<double>[^]{1,${longestInline}}?)(?<!\$)\$\$(?!\$)`,
    String.raw`(?<![\w$])\$(?![\s$])(?<single>(?:[^$\n\\]|\\[^\n]){1,${longestInline}}?)(?<!\s)\$(?![\w$])`,
  ].join("|"),
  "gm",
);

/**
 * Markdown in which every formula stands in `$$`: on lines of its own where it is displayed, else in its sentence.
 * `\[x\]`, `\(x\)` and `$x$` become so, code and prices stay as they are.
 */
export function withDollarFormulas(markdown: string): string {
  if (!/\$|\\[[(]/.test(markdown)) return markdown;
  return markdown.replace(kinds, (whole, ...given) => {
    const part: Partial<Record<string, string>> = given.at(-1);
    const displayed = part.brackets ?? part.dollars;
    const inSentence = part.bracketed ?? part.round ?? part.double ?? part.single;
    if (displayed !== undefined) return onItsOwnLines(displayed, part.indent ?? "") ?? whole;
    // A formula that holds a paragraph's end is none.
    if (inSentence === undefined || inSentence.trim() === "" || /\n\s*\n|\$\$/.test(inSentence)) return whole;
    return `$$${inSentence.trim().replaceAll(/\s*\n\s*/g, " ")}$$`;
  });
}

/** @returns undefined for what is blank */
function onItsOwnLines(formula: string, indent: string): string | undefined {
  const lines = formula
    .trim()
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  if (lines.length === 0) return undefined;
  return ["$$", ...lines, "$$"].map((line) => `${indent}${line}`).join("\n");
}
