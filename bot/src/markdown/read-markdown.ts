import { withDollarFormulas } from "@bombyx/sdk/formulas";
import type { AlignType, List, Nodes, PhrasingContent, RootContent, Table } from "mdast";
import { fromMarkdown } from "mdast-util-from-markdown";
import { gfmFromMarkdown } from "mdast-util-gfm";
import { mathFromMarkdown } from "mdast-util-math";
import { gfm } from "micromark-extension-gfm";
import { math } from "micromark-extension-math";
import {
  type Block,
  deepestBlock,
  deepestInline,
  type Inline,
  inlineText,
  type ListItem,
  widestTable,
} from "./block.ts";
import { safeLink } from "./safe-link.ts";

// One dollar is money: what is a formula between two of them, has two already when it is parsed.
const extensions = [gfm(), math({ singleDollarTextMath: false })];
const mdastExtensions = [gfmFromMarkdown(), mathFromMarkdown()];
/** Controls that people cannot see, among them those that turn the direction of text around and so disguise links. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what it removes.
const invisibleControls = /[\u0000-\u0008\u000b-\u001f\u007f\u202a-\u202e\u2066-\u2069]/g;
/** More of these than any author writes, in a row or in a paragraph: they cost a parser quadratic time. */
const absurdNesting = /(?:[>[*_~!(] ?){64}/;
const absurdIndent = /^ {100,}(?:[-*+>]|\d+[.)]) /m;
const mostMarks = 1_500;

/**
 * Markdown of an answer, whole or cut anywhere, as blocks. Never throws: what cannot be read is one paragraph of
 * plain text. HTML, images and links that act stay text (see {@link safeLink}).
 */
export function readMarkdown(markdown: string): Block[] {
  const text = cleaned(markdown);
  return parse(text)?.flatMap((node) => readBlock(node, 1)) ?? plain(text);
}

/**
 * The same for a text that grows at its end: a block that another follows is finished, so only the last one is read
 * again, and a long answer costs no more per frame than a short one.
 */
export class GrowingMarkdown {
  #text = "";
  #finished: Block[] = [];
  /** Where the last block begins. */
  #from = 0;

  read(markdown: string): Block[] {
    const text = cleaned(markdown);
    if (!text.startsWith(this.#text.slice(0, this.#from))) {
      this.#finished = [];
      this.#from = 0;
    }
    this.#text = text;
    const tail = text.slice(this.#from);
    const nodes = parse(tail);
    if (nodes === undefined) return [...this.#finished, ...plain(tail)];
    const last = nodes.at(-1);
    if (last === undefined) return this.#finished;
    this.#finished = [...this.#finished, ...nodes.slice(0, -1).flatMap((node) => readBlock(node, 1))];
    // A block begins with its line: the indent before it is part of what it is.
    const offset = this.#from + (last.position?.start.offset ?? 0);
    this.#from = offset === 0 ? 0 : text.lastIndexOf("\n", offset - 1) + 1;
    return [...this.#finished, ...readBlock(last, 1)];
  }
}

const cleaned = (markdown: string): string =>
  withDollarFormulas(markdown.toWellFormed().replaceAll("\r\n", "\n").replace(invisibleControls, ""));

/** @returns undefined for what no parser should be given. */
function parse(text: string): RootContent[] | undefined {
  if (isAbsurd(text)) return undefined;
  try {
    return fromMarkdown(text, { extensions, mdastExtensions }).children;
  } catch {
    return undefined;
  }
}

const isAbsurd = (text: string): boolean =>
  absurdNesting.test(text) ||
  absurdIndent.test(text) ||
  text
    .split(/\n\s*\n/)
    .some((part) => part.length > mostMarks && (part.match(/[*_~[\]`$]/g)?.length ?? 0) > mostMarks);

const plain = (text: string): Block[] => paragraph(text.trim());

function readBlock(node: RootContent, depth: number): Block[] {
  if (depth > deepestBlock) return paragraph(wordsOf(node));
  switch (node.type) {
    case "paragraph": {
      const [only, ...others] = node.children;
      if (only?.type === "inlineMath" && others.length === 0) return formula(only.value);
      return paragraph(readInlines(node.children, 1));
    }
    case "math":
      return formula(node.value);
    case "heading":
      return paragraph(readInlines(node.children, 1)).map(({ text }) => ({
        type: "heading",
        text,
        size: node.depth,
      }));
    case "code":
      return [codeBlock(node.value, node.lang)];
    case "thematicBreak":
      return [{ type: "divider" }];
    case "blockquote": {
      const blocks = node.children.flatMap((child) => readBlock(child, depth + 1));
      return blocks.length > 0 ? [{ type: "blockquote", blocks }] : [];
    }
    case "list":
      return readList(node, depth);
    case "table":
      return readTable(node);
    case "html":
      return paragraph(node.value);
    case "definition":
      return paragraph([`[${node.label ?? node.identifier}]: `, link(node.url)]);
    case "footnoteDefinition":
      return [
        ...paragraph(`[^${node.label ?? node.identifier}]:`),
        ...node.children.flatMap((child) => readBlock(child, depth + 1)),
      ];
    default:
      return paragraph(wordsOf(node));
  }
}

/** Nothing for empty text, which Telegram refuses. */
function paragraph(text: Inline): Extract<Block, { type: "paragraph" }>[] {
  return inlineText(text).trim() === "" ? [] : [{ type: "paragraph", text }];
}

/** A formula that has only begun has nothing to draw yet. */
const formula = (expression: string): Block[] =>
  expression.trim() === "" ? [] : [{ type: "mathematical_expression", expression }];

function codeBlock(value: string, lang?: string | null): Block {
  const language = /^[\w+#.-]{1,32}/.exec(lang ?? "")?.[0];
  // An empty block is refused; in the middle of a stream there is a fence before there is code.
  const text = value.trim() === "" ? "…" : value;
  return { type: "pre", text, ...(language !== undefined && { language }) };
}

function readList(list: List, depth: number): Block[] {
  const items = list.children.map((child, i): ListItem => {
    const blocks = child.children.flatMap((block) => readBlock(block, depth + 1));
    return {
      blocks: blocks.length > 0 ? blocks : [{ type: "paragraph", text: "…" }],
      ...(typeof child.checked === "boolean" && { has_checkbox: true as const }),
      ...(child.checked === true && { is_checked: true as const }),
      ...(list.ordered === true && {
        value: Math.min((list.start ?? 1) + i, 2 ** 31 - 1),
        type: "1" as const,
      }),
    };
  });
  return items.length > 0 ? [{ type: "list", items }] : [];
}

function readTable(table: Table): Block[] {
  const rows = table.children.map((row) => row.children.map((cell) => readInlines(cell.children, 1)));
  const columns = Math.max(...rows.map((row) => row.length));
  if (columns > widestTable || columns === 0) {
    return [codeBlock(rows.map((row) => row.map(inlineText).join(" | ")).join("\n"))];
  }
  const cells = rows.map((row, i) =>
    Array.from({ length: columns }, (_, column) => ({
      text: row[column] ?? "",
      ...(i === 0 && { is_header: true as const }),
      align: alignment(table.align?.[column]),
      valign: "top" as const,
    })),
  );
  return [{ type: "table", cells, is_bordered: true }];
}

const alignment = (align: AlignType | undefined): "left" | "center" | "right" => align ?? "left";

function readInlines(nodes: readonly PhrasingContent[], depth: number): Inline {
  const parts: Inline[] = [];
  for (const node of nodes) {
    const read = readInline(node, depth);
    const last = parts.at(-1);
    if (typeof read === "string" && typeof last === "string") parts[parts.length - 1] = last + read;
    else parts.push(read);
  }
  return parts.length === 1 ? (parts[0] ?? "") : parts;
}

function readInline(node: PhrasingContent, depth: number): Inline {
  if (depth > deepestInline) return wordsOf(node);
  switch (node.type) {
    case "text":
      return node.value;
    case "strong":
      return { type: "bold", text: readInlines(node.children, depth + 1) };
    case "emphasis":
      return { type: "italic", text: readInlines(node.children, depth + 1) };
    case "delete":
      return { type: "strikethrough", text: readInlines(node.children, depth + 1) };
    case "inlineCode":
      return { type: "code", text: node.value };
    case "inlineMath":
      return node.value.trim() === "" ? "" : { type: "mathematical_expression", expression: node.value };
    case "break":
      return "\n";
    case "link":
      return labelled(wordsOf(node), node.url);
    case "image":
      return labelled(node.alt ?? "", node.url);
    case "linkReference":
      return [readInlines(node.children, depth + 1), ` [${node.label ?? node.identifier}]`];
    case "imageReference":
      return `${node.alt ?? ""} [${node.label ?? node.identifier}]`;
    case "footnoteReference":
      return `[^${node.label ?? node.identifier}]`;
    default:
      return wordsOf(node);
  }
}

/** A link is shown whole, behind its words: nobody taps on an address that they have not seen. */
function labelled(label: string, address: string): Inline {
  const bare = label.trim() === "" || sameAddress(label, address);
  return bare ? link(address) : [`${label} (`, link(address), ")"];
}

function link(address: string): Inline {
  const url = safeLink(address);
  return url === undefined ? address : { type: "url", text: url.replace(/^mailto:/, ""), url };
}

const sameAddress = (label: string, address: string): boolean =>
  [address, address.replace(/^mailto:/, ""), address.replace(/^https?:\/\//, "")].includes(label.trim());

/** The words below a node, without recursion: nesting may be as deep as the text is long. */
function wordsOf(node: Nodes): string {
  const words: string[] = [];
  const waiting: Nodes[] = [node];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if ("value" in next) words.push(next.value);
    else if (next.type === "break") words.push("\n");
    else if ("alt" in next && next.alt) words.push(next.alt);
    if ("children" in next) waiting.push(...next.children.toReversed());
  }
  return words.join("");
}
