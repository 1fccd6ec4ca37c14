import { withDollarFormulas } from "@bombyx/sdk/formulas";
import type { Code, RootContent } from "mdast";
import { fromMarkdown } from "mdast-util-from-markdown";
import { gfmAutolinkLiteralFromMarkdown } from "mdast-util-gfm-autolink-literal";
import { gfmStrikethroughFromMarkdown } from "mdast-util-gfm-strikethrough";
import { gfmTableFromMarkdown } from "mdast-util-gfm-table";
import { gfmTaskListItemFromMarkdown } from "mdast-util-gfm-task-list-item";
import { mathFromMarkdown } from "mdast-util-math";
import { gfmAutolinkLiteral } from "micromark-extension-gfm-autolink-literal";
import { gfmStrikethrough } from "micromark-extension-gfm-strikethrough";
import { gfmTable } from "micromark-extension-gfm-table";
import { gfmTaskListItem } from "micromark-extension-gfm-task-list-item";
import { math } from "micromark-extension-math";

/** A top-level block; `node` stays the same object as long as the block does not change. */
export interface Block {
  /** Where it begins in the text: its identity while the text grows. */
  readonly start: number;
  readonly node: RootContent;
}

/**
 * GitHub's dialect without footnotes, and formulas. Raw HTML comes out as a node of its own, and is shown as text. One
 * dollar is money: what is a formula between two of them, has two already.
 */
const parse = (text: string): readonly RootContent[] =>
  fromMarkdown(text, {
    extensions: [
      gfmTable(),
      gfmStrikethrough({ singleTilde: false }),
      gfmTaskListItem(),
      gfmAutolinkLiteral(),
      math({ singleDollarTextMath: false }),
    ],
    mdastExtensions: [
      gfmTableFromMarkdown(),
      gfmStrikethroughFromMarkdown(),
      gfmTaskListItemFromMarkdown(),
      gfmAutolinkLiteralFromMarkdown(),
      mathFromMarkdown(),
    ],
  }).children;

/** Beyond this a single block is shown as it was written: no answer may make a phone hang. */
const longestParsed = 40_000;

const fence = /^ {0,3}(`{3,}|~{3,})/;

/**
 * Blocks of a text that grows at its end. A block that another follows is finished: only the last one is parsed
 * again, and an open code block is not even that, so a long answer costs no more per word than a short one.
 */
export class GrowingBlocks {
  #text = "";
  #blocks: Block[] = [];
  /** Length of the fence that is open at the end, and its character. */
  #openFence: { readonly mark: string; readonly length: number; scannedTo: number } | undefined;

  /** @returns the blocks of `markdown`; those that did not change are the same objects as before. */
  update(markdown: string): readonly Block[] {
    const text = withDollarFormulas(markdown);
    if (text === this.#text) return this.#blocks;
    if (!text.startsWith(this.#text)) {
      // A formula that ends is written anew: its block is parsed again, and the one before, whose end may depend on it.
      const same = sameLength(text, this.#text);
      const before = this.#blocks.filter(({ start }) => start <= same);
      this.#blocks = before.slice(0, Math.max(1, before.length - 1));
      this.#openFence = undefined;
    }
    this.#text = text;
    if (this.#grewCode()) return this.#blocks;
    const last = this.#blocks.at(-1);
    const from = last?.start ?? 0;
    const nodes = parseTail(text.slice(from));
    this.#blocks = [
      ...this.#blocks.slice(0, -1),
      ...nodes.map((node) => ({ start: this.#lineOf(from + (node.position?.start.offset ?? 0)), node })),
    ];
    this.#watchFence();
    return this.#blocks;
  }

  /** A block begins with its line: the indent before it is part of what it is. */
  #lineOf(offset: number): number {
    return offset === 0 ? 0 : this.#text.lastIndexOf("\n", offset - 1) + 1;
  }

  /** Inside an open fence, what comes is code until a line closes it. */
  #grewCode(): boolean {
    const open = this.#openFence;
    const last = this.#blocks.at(-1);
    if (!open || last?.node.type !== "code") return false;
    const added = this.#text.slice(open.scannedTo);
    if (closes(added, open)) {
      this.#openFence = undefined;
      return false;
    }
    open.scannedTo = this.#text.lastIndexOf("\n") + 1;
    const body = this.#text.indexOf("\n", last.start) + 1;
    const node: Code = { ...last.node, value: body > 0 ? this.#text.slice(body).replace(/\n$/, "") : "" };
    this.#blocks = [...this.#blocks.slice(0, -1), { start: last.start, node }];
    return true;
  }

  #watchFence(): void {
    this.#openFence = undefined;
    const last = this.#blocks.at(-1);
    if (last?.node.type !== "code") return;
    const tail = this.#text.slice(last.start);
    const mark = fence.exec(tail)?.[1];
    const body = tail.indexOf("\n") + 1;
    // An indented fence takes indents off its lines; that is left to the parser.
    if (!mark || body === 0 || /^ /.test(tail)) return;
    const open = { mark: mark.charAt(0), length: mark.length, scannedTo: this.#text.lastIndexOf("\n") + 1 };
    if (!closes(tail.slice(body), open)) this.#openFence = open;
  }
}

/** How many characters two texts have in common at their beginning. */
function sameLength(one: string, other: string): number {
  let length = 0;
  while (length < one.length && one[length] === other[length]) length++;
  return length;
}

/** Whether any line is a closing fence. */
const closes = (lines: string, { mark, length }: { mark: string; length: number }): boolean =>
  new RegExp(`^ {0,3}${mark}{${length},}[ \\t]*$`, "m").test(lines);

function parseTail(text: string): readonly RootContent[] {
  if (text.length <= longestParsed || fence.test(text)) return parse(text);
  return [
    {
      type: "paragraph",
      children: [{ type: "text", value: text }],
      position: {
        start: { line: 1, column: 1, offset: 0 },
        end: { line: 1, column: 1, offset: text.length },
      },
    },
  ];
}
