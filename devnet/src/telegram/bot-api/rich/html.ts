import type { RichBlock, RichBlockListItem, RichBlockTableCell, RichText } from "@grammyjs/types";
import { type DefaultTreeAdapterTypes, parseFragment, defaultTreeAdapter as tree } from "parse5";
import { badRequest } from "../api-error.ts";
import { richButton } from "./buttons.ts";
import { type InlineToken, joined, tagWrap } from "./inline.ts";

type Node = DefaultTreeAdapterTypes.ChildNode;
type Element = DefaultTreeAdapterTypes.Element;

const INLINE = new Set([
  "a",
  "b",
  "strong",
  "i",
  "em",
  "u",
  "ins",
  "s",
  "strike",
  "del",
  "code",
  "mark",
  "sub",
  "sup",
  "tg-spoiler",
  "tg-emoji",
  "tg-time",
  "tg-math",
  "tg-reference",
  "tg-button",
  "br",
  "span",
]);
const MEDIA = new Set(["img", "video", "audio", "tg-document", "figure", "tg-collage", "tg-slideshow"]);

export interface HtmlOptions {
  /** An unknown tag is an error in rich HTML; in Markdown, where any HTML may stand, it is left out. */
  readonly isStrict: boolean;
}

/**
 * Rich HTML as blocks.
 * @see https://core.telegram.org/bots/api#rich-message-formatting-options
 * @throws BotApiError 400 for an unknown tag, or media by address
 */
export function htmlBlocks(source: string, options: HtmlOptions): RichBlock[] {
  return blocksOf(parseFragment(source).childNodes, options);
}

/** `<u>` or `</u>` as it stands in a Markdown sentence. */
export function inlineTagToken(source: string): InlineToken[] {
  const match = /^<(\/?)([a-z][a-z0-9-]*)/i.exec(source);
  const name = match?.[2]?.toLowerCase() ?? "";
  if (name === "br") return [{ kind: "text", text: "\n" }];
  if (match?.[1] === "/") return [{ kind: "close", name, literal: "" }];
  const [element] = parseFragment(source).childNodes;
  const wrap =
    element && tree.isElementNode(element)
      ? tagWrap(name, (attribute) => attributeOf(element, attribute))
      : undefined;
  return wrap ? [{ kind: "open", name, literal: "", wrap }] : [];
}

function blocksOf(nodes: readonly Node[], options: HtmlOptions): RichBlock[] {
  const blocks: RichBlock[] = [];
  let run: Node[] = [];
  const endRun = () => {
    const text = trimmed(textOf(run, options));
    if (text !== "") blocks.push({ type: "paragraph", text });
    run = [];
  };
  for (const node of nodes) {
    const isInline = tree.isTextNode(node) || (tree.isElementNode(node) && INLINE.has(node.tagName));
    if (isInline) run.push(node);
    else if (tree.isElementNode(node)) {
      endRun();
      blocks.push(...blockOf(node, options));
    }
  }
  endRun();
  return blocks;
}

function blockOf(element: Element, options: HtmlOptions): RichBlock[] {
  const { tagName: name, childNodes } = element;
  const text = () =>
    trimmed(
      textOf(
        childNodes.filter((child) => tagOf(child) !== "cite"),
        options,
      ),
    );
  const has = (attribute: string) => attributeOf(element, attribute) !== undefined;
  const cite = childNodes.find((child) => tagOf(child) === "cite");
  const credit = cite && tree.isElementNode(cite) ? { credit: textOf(cite.childNodes, options) } : {};
  const heading = /^h([1-6])$/.exec(name)?.[1];
  if (heading !== undefined) return [{ type: "heading", size: Number(heading) as 1, text: text() }];
  if (MEDIA.has(name)) throw badRequest("failed to get HTTP URL content");
  switch (name) {
    case "p":
      return [{ type: "paragraph", text: text() }];
    case "footer":
      return [{ type: "footer", text: text() }];
    case "hr":
      return [{ type: "divider" }];
    case "pre":
      return [preformatted(element)];
    case "tg-math-block":
      return [{ type: "mathematical_expression", expression: rawText(element) }];
    case "tg-thinking":
      return [{ type: "thinking", text: text() }];
    case "aside":
      return [{ type: "pullquote", text: text(), ...credit }];
    case "blockquote":
      if (has("expandable")) return [{ type: "expandable_blockquote", text: text(), ...credit }];
      return [
        {
          type: "blockquote",
          blocks: blocksOf(
            childNodes.filter((child) => child !== cite),
            options,
          ),
          ...credit,
        },
      ];
    case "ul":
    case "ol":
      return [listOf(element, options)];
    case "table":
      return [tableOf(element, options)];
    case "details": {
      const summary = childNodes.find((child) => tagOf(child) === "summary");
      return [
        {
          type: "details",
          summary: summary && tree.isElementNode(summary) ? textOf(summary.childNodes, options) : "",
          blocks: blocksOf(
            childNodes.filter((child) => child !== summary),
            options,
          ),
          ...(has("open") && { is_open: true as const }),
        },
      ];
    }
    case "tg-button-row": {
      const buttons = childNodes
        .filter((child) => tree.isElementNode(child))
        .map((child) => buttonOf(child as Element, options));
      const align = attributeOf(element, "align");
      return [{ type: "buttons", buttons, ...(align && { align: align as "left" }) }];
    }
    case "div":
    case "summary":
      if (!options.isStrict) return blocksOf(childNodes, options);
  }
  if (options.isStrict) throw badRequest(`can't parse entities: Unsupported start tag "${name}"`);
  // Markdown may hold any HTML: what is not shown as such is shown as its text, and scripts not at all.
  return ["script", "style", "template"].includes(name) ? [] : blocksOf(childNodes, options);
}

function preformatted(element: Element): RichBlock {
  const code = element.childNodes.find((child) => tagOf(child) === "code");
  const language =
    code && tree.isElementNode(code)
      ? /^language-(.+)$/.exec(attributeOf(code, "class") ?? "")?.[1]
      : undefined;
  return {
    type: "pre",
    text: rawText(element).replace(/\n$/, ""),
    ...(language !== undefined && { language }),
  };
}

function listOf(element: Element, options: HtmlOptions): RichBlock {
  const isOrdered = element.tagName === "ol";
  let value = Number(attributeOf(element, "start") ?? 1);
  const items = element.childNodes
    .filter((child): child is Element => tagOf(child) === "li")
    .map((item): RichBlockListItem => {
      value = Number(attributeOf(item, "value") ?? value);
      const box = item.childNodes.find((child): child is Element => tagOf(child) === "input");
      const shown: RichBlockListItem = {
        label: isOrdered ? `${value}.` : "•",
        blocks: blocksOf(
          item.childNodes.filter((child) => child !== box),
          options,
        ),
        ...(box && { has_checkbox: true as const }),
        ...(box && attributeOf(box, "checked") !== undefined && { is_checked: true as const }),
        ...(isOrdered && { value, type: "1" as const }),
      };
      value += 1;
      return shown;
    });
  return { type: "list", items };
}

function tableOf(element: Element, options: HtmlOptions): RichBlock {
  const rows: Element[] = [];
  const visit = (node: Node) => {
    if (tagOf(node) === "tr") rows.push(node as Element);
    else if (tree.isElementNode(node)) node.childNodes.forEach(visit);
  };
  element.childNodes.forEach(visit);
  const has = (attribute: string) => attributeOf(element, attribute) !== undefined;
  const caption = element.childNodes.find((child): child is Element => tagOf(child) === "caption");
  return {
    type: "table",
    cells: rows.map((row) =>
      row.childNodes
        .filter((child): child is Element => tagOf(child) === "td" || tagOf(child) === "th")
        .map((cell) => cellOf(cell, options)),
    ),
    ...(has("bordered") && { is_bordered: true as const }),
    ...(has("striped") && { is_striped: true as const }),
    ...(has("compact") && { is_compact: true as const }),
    ...(caption && { caption: textOf(caption.childNodes, options) }),
  };
}

function cellOf(cell: Element, options: HtmlOptions): RichBlockTableCell {
  const span = (name: string) => Number(attributeOf(cell, name) ?? 1);
  return {
    text: trimmed(textOf(cell.childNodes, options)),
    ...(cell.tagName === "th" && { is_header: true as const }),
    ...(span("colspan") > 1 && { colspan: span("colspan") }),
    ...(span("rowspan") > 1 && { rowspan: span("rowspan") }),
    align: (attributeOf(cell, "align") ?? "left") as "left",
    valign: (attributeOf(cell, "valign") ?? "middle") as "middle",
  };
}

function textOf(nodes: readonly Node[], options: HtmlOptions): RichText {
  return joined(
    nodes.map((node): RichText => {
      if (tree.isTextNode(node)) return node.value.replace(/\s+/g, " ");
      if (!tree.isElementNode(node)) return "";
      if (node.tagName === "br") return "\n";
      if (node.tagName === "tg-button") return { type: "button", button: buttonOf(node, options) };
      const wrap = tagWrap(node.tagName, (name) => attributeOf(node, name));
      const inner = textOf(node.childNodes, options);
      if (wrap) return wrap(inner);
      if (options.isStrict && !INLINE.has(node.tagName)) {
        throw badRequest(`can't parse entities: Unsupported start tag "${node.tagName}"`);
      }
      return inner;
    }),
  );
}

const buttonOf = (element: Element, options: HtmlOptions) =>
  richButton((name) => attributeOf(element, name), textOf(element.childNodes, options));

const rawText = (node: Node): string =>
  tree.isTextNode(node) ? node.value : tree.isElementNode(node) ? node.childNodes.map(rawText).join("") : "";
const tagOf = (node: Node): string | undefined => (tree.isElementNode(node) ? node.tagName : undefined);
const attributeOf = (element: Element, name: string): string | undefined =>
  element.attrs.find((attribute) => attribute.name === name)?.value;

/** Without the white space of the source's indentation. */
function trimmed(text: RichText): RichText {
  if (typeof text === "string") return text.trim();
  if (!Array.isArray(text)) return text;
  const parts = [...text];
  if (typeof parts[0] === "string") parts[0] = parts[0].trimStart();
  const last = parts.at(-1);
  if (typeof last === "string") parts[parts.length - 1] = last.trimEnd();
  return joined(parts);
}
