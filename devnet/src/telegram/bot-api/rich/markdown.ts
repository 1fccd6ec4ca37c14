import type { RichBlock, RichBlockListItem, RichBlockTableCell, RichText } from "@grammyjs/types";
import type {
  BlockContent,
  Definition,
  FootnoteDefinition,
  List,
  Nodes,
  PhrasingContent,
  RootContent,
  Table,
} from "mdast";
import { fromMarkdown } from "mdast-util-from-markdown";
import { gfmFromMarkdown } from "mdast-util-gfm";
import { mathFromMarkdown } from "mdast-util-math";
import { gfm } from "micromark-extension-gfm";
import { math } from "micromark-extension-math";
import { badRequest } from "../api-error.ts";
import { htmlBlocks, inlineTagToken } from "./html.ts";
import { foldInline, type InlineToken, link, wrapAs } from "./inline.ts";

type Block = RootContent | BlockContent;

/** What is used of one document: link and footnote definitions may stand anywhere. */
interface Document {
  readonly definitions: ReadonlyMap<string, string>;
}

/**
 * Rich Markdown as blocks: GitHub's, formulas, and Telegram's own `==marked==`, `||spoiler||` and HTML tags.
 * @see https://core.telegram.org/bots/api#rich-message-formatting-options
 * @throws BotApiError 400 for media by address: this Telegram fetches nothing
 */
export function markdownBlocks(source: string): RichBlock[] {
  const tree = fromMarkdown(source, {
    extensions: [gfm(), math()],
    mdastExtensions: [gfmFromMarkdown(), mathFromMarkdown()],
  });
  const definitions = new Map<string, string>();
  collectDefinitions(tree, definitions);
  return blocks(tree.children, { definitions });
}

function collectDefinitions(node: Nodes, into: Map<string, string>): void {
  if (node.type === "definition") into.set((node as Definition).identifier, (node as Definition).url);
  if ("children" in node) for (const child of node.children) collectDefinitions(child as Nodes, into);
}

function blocks(nodes: readonly Block[], document: Document): RichBlock[] {
  const result: RichBlock[] = [];
  for (let index = 0; index < nodes.length; index += 1) {
    const node = nodes[index];
    if (node === undefined) continue;
    if (node.type === "html" && /^<details\b/i.test(node.value) && !/<\/details>/i.test(node.value)) {
      const end = closingDetails(nodes, index);
      result.push(details(node.value, nodes.slice(index + 1, end), document));
      index = end;
    } else {
      result.push(...block(node, document));
    }
  }
  return result;
}

/** The place of `</details>`, or the end where it is missing. */
function closingDetails(nodes: readonly Block[], from: number): number {
  let depth = 0;
  for (let index = from; index < nodes.length; index += 1) {
    const node = nodes[index];
    if (node?.type !== "html") continue;
    depth +=
      (node.value.match(/<details\b/gi) ?? []).length - (node.value.match(/<\/details>/gi) ?? []).length;
    if (depth <= 0) return index;
  }
  return nodes.length;
}

function details(opening: string, content: readonly Block[], document: Document): RichBlock {
  const summary = /<summary>([\s\S]*?)<\/summary>/i.exec(opening)?.[1] ?? "";
  const [first] = markdownBlocks(summary);
  const isOpen = /^<details\b[^>]*\sopen\b/i.test(opening);
  return {
    type: "details",
    summary: first?.type === "paragraph" ? first.text : summary,
    blocks: blocks(content, document),
    ...(isOpen && { is_open: true as const }),
  };
}

function block(node: Block, document: Document): RichBlock[] {
  switch (node.type) {
    case "paragraph": {
      const [only] = node.children;
      if (node.children.length === 1 && only?.type === "image") return [media(only.url, only.alt ?? "")];
      return [{ type: "paragraph", text: inline(node.children, document) }];
    }
    case "heading":
      return [{ type: "heading", size: node.depth, text: inline(node.children, document) }];
    case "code":
      if (node.lang === "math") return [{ type: "mathematical_expression", expression: node.value }];
      return [{ type: "pre", text: node.value, ...(node.lang && { language: node.lang }) }];
    case "math":
      return [{ type: "mathematical_expression", expression: node.value }];
    case "thematicBreak":
      return [{ type: "divider" }];
    case "blockquote":
      return [{ type: "blockquote", blocks: blocks(node.children as Block[], document) }];
    case "list":
      return [list(node, document)];
    case "table":
      return [table(node, document)];
    case "footnoteDefinition":
      return [footnote(node, document)];
    case "html":
      return htmlBlocks(node.value, { isStrict: false });
    case "definition":
      return [];
    default:
      return [{ type: "paragraph", text: inline([node as PhrasingContent], document) }];
  }
}

function list(node: List, document: Document): RichBlock {
  const items = node.children.map((item, index): RichBlockListItem => {
    const value = (node.start ?? 1) + index;
    return {
      label: node.ordered ? `${value}.` : "•",
      blocks: blocks(item.children as Block[], document),
      ...(typeof item.checked === "boolean" && { has_checkbox: true as const }),
      ...(item.checked === true && { is_checked: true as const }),
      ...(node.ordered && { value, type: "1" as const }),
    };
  });
  return { type: "list", items };
}

function table(node: Table, document: Document): RichBlock {
  const cells = node.children.map((row, rowIndex) =>
    row.children.map(
      (cell, column): RichBlockTableCell => ({
        text: inline(cell.children, document),
        ...(rowIndex === 0 && { is_header: true as const }),
        align: node.align?.[column] ?? "left",
        valign: "middle",
      }),
    ),
  );
  return { type: "table", cells };
}

function footnote(node: FootnoteDefinition, document: Document): RichBlock {
  const text = (node.children as Block[]).map((child) =>
    child.type === "paragraph" ? inline(child.children, document) : "",
  );
  return { type: "paragraph", text: { type: "reference", name: node.identifier, text: text.flat() } };
}

function media(url: string, alt: string): RichBlock {
  if (url.startsWith("tg://emoji?id=")) return { type: "paragraph", text: emoji(url, alt) };
  throw badRequest(/^https?:/i.test(url) ? "failed to get HTTP URL content" : "RICH_MESSAGE_MEDIA_INVALID");
}

const emoji = (url: string, alt: string): RichText => ({
  type: "custom_emoji",
  custom_emoji_id: url.slice("tg://emoji?id=".length),
  alternative_text: alt,
});

const inline = (nodes: readonly PhrasingContent[], document: Document): RichText =>
  foldInline(nodes.flatMap((node) => tokens(node, document)));

function tokens(node: PhrasingContent, document: Document): InlineToken[] {
  const text = (rich: RichText): InlineToken[] => [{ kind: "text", text: rich }];
  switch (node.type) {
    case "text":
      return marks(node.value);
    case "strong":
      return text({ type: "bold", text: inline(node.children, document) });
    case "emphasis":
      return text({ type: "italic", text: inline(node.children, document) });
    case "delete":
      return text({ type: "strikethrough", text: inline(node.children, document) });
    case "inlineCode":
      return text({ type: "code", text: node.value });
    case "inlineMath":
      return text({ type: "mathematical_expression", expression: node.value });
    case "break":
      return text("\n");
    case "link":
      return text(link(node.url, inline(node.children, document)));
    case "linkReference": {
      const url = document.definitions.get(node.identifier);
      const label = inline(node.children, document);
      return text(url === undefined ? label : link(url, label));
    }
    case "footnoteReference":
      return text({
        type: "reference_link",
        reference_name: node.identifier,
        text: node.label ?? node.identifier,
      });
    case "image":
      if (node.url.startsWith("tg://emoji?id=")) return text(emoji(node.url, node.alt ?? ""));
      // Media stand in blocks of their own; inside a sentence only their description is left.
      return text(node.alt ?? "");
    case "html":
      return inlineTagToken(node.value);
    default:
      return [];
  }
}

/** Marks that GitHub does not have. */
function marks(value: string): InlineToken[] {
  return value
    .split(/(==|\|\|)/)
    .filter((part) => part !== "")
    .map((part): InlineToken => {
      if (part === "==") return { kind: "toggle", name: "==", literal: part, wrap: wrapAs("marked") };
      if (part === "||") return { kind: "toggle", name: "||", literal: part, wrap: wrapAs("spoiler") };
      // A soft line break is a space: "all the text above was on the same line".
      return { kind: "text", text: part.replace(/\n/g, " ") };
    });
}
