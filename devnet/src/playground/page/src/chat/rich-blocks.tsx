import type { RichBlock } from "@grammyjs/types";
import { createElement, Fragment, type ReactNode, useState } from "react";
import { useSay } from "../words.ts";
import { CodeBlock } from "./code-block.tsx";
import { Formula } from "./formula.tsx";
import { plainText, Rich } from "./rich-text.tsx";

type Block<T extends RichBlock["type"]> = Extract<RichBlock, { type: T }>;

/** A rich message: blocks that Telegram has parsed. What a model wrote never becomes markup of this page. */
export function RichBlocks({ blocks }: { blocks: readonly RichBlock[] }) {
  return blocks.map((block, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: blocks are known by their place
    <Fragment key={index}>
      <OneBlock block={block} />
    </Fragment>
  ));
}

function OneBlock({ block }: { block: RichBlock }): ReactNode {
  switch (block.type) {
    case "paragraph":
      return (
        <p>
          <Rich text={block.text} />
        </p>
      );
    case "heading":
      // The page has headings of its own above these.
      return createElement(
        `h${Math.min(6, block.size + 2)}`,
        { className: `rich-h${block.size}` },
        <Rich text={block.text} />,
      );
    case "pre":
      return (
        <CodeBlock text={plainText(block.text)} language={block.language}>
          <Rich text={block.text} />
        </CodeBlock>
      );
    case "mathematical_expression":
      return <Formula tex={block.expression} isDisplay />;
    case "divider":
      return <hr />;
    case "list":
      return <RichList list={block} />;
    case "table":
      return <RichTable table={block} />;
    case "blockquote":
      return (
        <blockquote>
          <RichBlocks blocks={block.blocks} />
          <Credit text={block.credit} />
        </blockquote>
      );
    case "expandable_blockquote":
      return <Expandable block={block} />;
    case "pullquote":
      return (
        <blockquote className="pull">
          <Rich text={block.text} />
          <Credit text={block.credit} />
        </blockquote>
      );
    case "details":
      return (
        <details className="rich-details" open={block.is_open}>
          <summary>
            <Rich text={block.summary} />
          </summary>
          <div>
            <RichBlocks blocks={block.blocks} />
          </div>
        </details>
      );
    case "footer":
      return (
        <p className="footer">
          <Rich text={block.text} />
        </p>
      );
    case "thinking":
      return (
        <p className="thinking">
          <Rich text={block.text} />
        </p>
      );
    case "anchor":
      return null;
    default:
      return <Unseen type={block.type} />;
  }
}

function Unseen({ type }: { type: string }) {
  const { say } = useSay();
  return <p className="footer">{say("unseen", type)}</p>;
}

function Credit({ text }: { text: Block<"blockquote">["credit"] }) {
  if (text === undefined) return null;
  return (
    <cite>
      <Rich text={text} />
    </cite>
  );
}

function Expandable({ block }: { block: Block<"expandable_blockquote"> }) {
  const { say } = useSay();
  const [isOpen, setOpen] = useState(false);
  return (
    <blockquote className={isOpen ? "" : "folded"}>
      <div>
        <Rich text={block.text} />
      </div>
      <Credit text={block.credit} />
      {!isOpen && (
        <button type="button" className="link" onClick={() => setOpen(true)}>
          {say("expand")}
        </button>
      )}
    </blockquote>
  );
}

/** Labels come from Telegram, numbers and bullets alike. */
function RichList({ list }: { list: Block<"list"> }) {
  const isOrdered = list.items.some(({ value }) => value !== undefined);
  return createElement(
    isOrdered ? "ol" : "ul",
    { className: "rich-list" },
    list.items.map((item, index) => (
      // biome-ignore lint/suspicious/noArrayIndexKey: items are known by their place
      <li key={index}>
        <span
          className={item.has_checkbox ? "box" : "label"}
          data-checked={item.is_checked}
          aria-hidden="true"
        >
          {item.has_checkbox ? "" : item.label || "•"}
        </span>
        <div>
          <RichBlocks blocks={item.blocks} />
        </div>
      </li>
    )),
  );
}

function RichTable({ table }: { table: Block<"table"> }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <div className="rich-table" tabIndex={0}>
      <table data-striped={table.is_striped} data-compact={table.is_compact}>
        {table.caption !== undefined && (
          <caption>
            <Rich text={table.caption} />
          </caption>
        )}
        <tbody>
          {table.cells.map((row, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: rows are known by their place
            <tr key={index}>
              {row.map((cell, column) =>
                createElement(
                  cell.is_header ? "th" : "td",
                  { key: column, colSpan: cell.colspan, rowSpan: cell.rowspan, "data-align": cell.align },
                  <Rich text={cell.text} />,
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
