import type { MessageEntity } from "grammy/types";
import { type Block, type Inline, inlineText } from "./block.ts";

/** A classic message: text and where its formatting is, in UTF-16 units as Telegram counts them. */
export interface FormattedText {
  text: string;
  entities: MessageEntity[];
}

/** Telegram ignores what comes after these. */
const mostEntities = 100;
const indent = "  ";

type Style = "bold" | "italic" | "strikethrough" | "code" | "blockquote";

interface Run {
  readonly text: string;
  readonly styles: ReadonlySet<Style>;
  readonly url?: string;
  readonly pre?: { readonly language?: string };
}

/** Blocks as a classic message, for clients and servers without rich messages. */
export function formatText(blocks: readonly Block[]): FormattedText {
  const runs: Run[] = [];
  writeBlocks(runs, blocks, new Set(), "");
  return trimmed(runs.map((run) => run.text).join(""), entitiesOf(runs));
}

function writeBlocks(
  runs: Run[],
  blocks: readonly Block[],
  styles: ReadonlySet<Style>,
  margin: string,
): void {
  blocks.forEach((block, i) => {
    if (i > 0) runs.push({ text: margin === "" ? "\n\n" : "\n", styles: quoteOnly(styles) });
    writeBlock(runs, block, styles, margin);
  });
}

function writeBlock(runs: Run[], block: Block, styles: ReadonlySet<Style>, margin: string): void {
  switch (block.type) {
    case "paragraph":
      writeInline(runs, block.text, styles);
      return;
    case "heading":
      writeInline(runs, block.text, new Set([...styles, "bold"]));
      return;
    case "pre":
      runs.push({ text: block.text, styles: quoteOnly(styles), pre: languageOf(block) });
      return;
    case "mathematical_expression":
      runs.push({ text: block.expression, styles: quoteOnly(styles), pre: { language: "latex" } });
      return;
    case "divider":
      runs.push({ text: "———", styles });
      return;
    case "blockquote":
      writeBlocks(runs, block.blocks, new Set([...styles, "blockquote"]), margin);
      return;
    case "list":
      block.items.forEach((item, i) => {
        if (i > 0) runs.push({ text: "\n", styles: quoteOnly(styles) });
        const mark = item.has_checkbox
          ? item.is_checked
            ? "☑"
            : "☐"
          : item.value === undefined
            ? "•"
            : `${item.value}.`;
        runs.push({ text: `${margin}${mark} `, styles });
        writeBlocks(runs, item.blocks, styles, margin + indent);
      });
      return;
    case "table":
      runs.push({
        text: alignedTable(block.cells.map((row) => row.map(({ text }) => inlineText(text)))),
        styles: quoteOnly(styles),
        pre: {},
      });
      return;
  }
}

const languageOf = ({ language }: { language?: string }) => (language === undefined ? {} : { language });

/** Code stands alone: Telegram lets it neither hold other formatting nor be part of it, quotes excepted. */
const quoteOnly = (styles: ReadonlySet<Style>): ReadonlySet<Style> =>
  new Set([...styles].filter((style) => style === "blockquote"));

function writeInline(runs: Run[], inline: Inline, styles: ReadonlySet<Style>): void {
  if (typeof inline === "string") {
    if (inline !== "") runs.push({ text: inline, styles });
  } else if (Array.isArray(inline)) {
    for (const part of inline) writeInline(runs, part, styles);
  } else if (inline.type === "url") {
    runs.push({ text: inline.text, styles, url: inline.url });
  } else if (inline.type === "code" || inline.type === "mathematical_expression") {
    runs.push({ text: inlineText(inline), styles: new Set([...quoteOnly(styles), "code"]) });
  } else {
    writeInline(runs, inline.text, new Set([...styles, inline.type]));
  }
}

function entitiesOf(runs: readonly Run[]): MessageEntity[] {
  const entities: MessageEntity[] = [];
  for (const style of ["blockquote", "bold", "italic", "strikethrough", "code"] as const) {
    let offset = 0;
    let length = 0;
    for (const run of [...runs, undefined]) {
      if (run?.styles.has(style)) {
        length += run.text.length;
        continue;
      }
      if (length > 0) entities.push({ type: style, offset, length });
      offset += length + (run?.text.length ?? 0);
      length = 0;
    }
  }
  let offset = 0;
  for (const { text, url, pre } of runs) {
    const span = { offset, length: text.length };
    // An address that shows itself is found by Telegram; naming it keeps it the one that was judged.
    if (url !== undefined) entities.push({ type: "text_link", url, ...span });
    if (pre !== undefined) entities.push({ type: "pre", ...pre, ...span });
    offset += text.length;
  }
  return entities;
}

/** Telegram trims a message; offsets are brought along, so that no entity points outside. */
function trimmed(text: string, entities: readonly MessageEntity[]): FormattedText {
  const lead = text.length - text.trimStart().length;
  const kept = text.trim();
  const inside = entities.flatMap((entity) => {
    const start = Math.max(0, entity.offset - lead);
    const end = Math.min(kept.length, entity.offset + entity.length - lead);
    return kept.slice(start, end).trim() === "" ? [] : [{ ...entity, offset: start, length: end - start }];
  });
  inside.sort((a, b) => a.offset - b.offset || b.length - a.length);
  return { text: kept, entities: inside.slice(0, mostEntities) };
}

/** Monospaced columns; a cell keeps to one line. */
function alignedTable(rows: readonly (readonly string[])[]): string {
  const lines = rows.map((row) => row.map((cell) => cell.replaceAll(/\s+/g, " ").trim()));
  const widths = (lines[0] ?? []).map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  );
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join(" | ")
        .trimEnd(),
    )
    .join("\n");
}
