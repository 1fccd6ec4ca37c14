import type { ListItem, Nodes, RootContent, TableCell } from "mdast";
import { Fragment, memo, type ReactNode, useEffect, useRef, useState } from "react";
import { Icon } from "../../components/icon.tsx";
import { useText } from "../../i18n/use-text.ts";
import { useTelegram } from "../../telegram/telegram-context.ts";
import { CopyButton } from "../copy-button.tsx";
import { type Block, GrowingBlocks } from "./blocks.ts";
import { Formula } from "./formula.tsx";
import "./markdown.css";
import { safeLink } from "./safe-link.ts";

/** While text comes, parsing takes at most a quarter of the time. */
const restPerCost = 3;

/**
 * An answer as formatted text. It is hostile input: React elements only, no HTML, no picture, nothing is
 * fetched, and links show their whole address and open by a tap alone.
 */
export function Markdown({ text, growing }: { text: string; growing: boolean }) {
  const blocks = useBlocks(text, growing);
  return (
    <div className="markdown" dir="auto">
      {blocks.map(({ start, node }) => (
        <MarkdownBlock key={start} node={node} />
      ))}
    </div>
  );
}

function useBlocks(text: string, growing: boolean): readonly Block[] {
  const [grower] = useState(() => new GrowingBlocks());
  const shown = useRef<readonly Block[]>([]);
  const restUntil = useRef(0);
  const [, wake] = useState(0);
  const now = performance.now();
  const resting = growing && now < restUntil.current;
  if (!resting) {
    shown.current = grower.update(text);
    const cost = performance.now() - now;
    restUntil.current = performance.now() + cost * restPerCost;
  }
  useEffect(() => {
    if (!resting) return;
    const timer = setTimeout(() => wake((count) => count + 1), restUntil.current - performance.now() + 1);
    return () => clearTimeout(timer);
  });
  return shown.current;
}

const MarkdownBlock = memo(function MarkdownBlock({ node }: { node: RootContent }) {
  return rendered(node, 0);
});

/** Deeper than anybody writes: what lies below is shown as words, so that no answer exhausts the stack. */
const deepest = 20;

function rendered(node: Nodes, depth: number): ReactNode {
  if (depth > deepest) return textOf(node);
  const inside = (nodes: readonly Nodes[]) => children(nodes, depth + 1);
  switch (node.type) {
    case "text":
      return node.value;
    case "paragraph": {
      const [only, ...others] = node.children;
      if (only?.type === "inlineMath" && others.length === 0) return <Displayed tex={only.value} />;
      return <p dir="auto">{inside(node.children)}</p>;
    }
    case "math":
      return <Displayed tex={node.value} />;
    case "inlineMath":
      return <Formula tex={node.value} />;
    case "heading": {
      // The page has its own h1 and h2; an answer begins below them.
      const Heading = node.depth === 1 ? "h3" : node.depth === 2 ? "h4" : "h5";
      return <Heading dir="auto">{inside(node.children)}</Heading>;
    }
    case "strong":
      return <strong>{inside(node.children)}</strong>;
    case "emphasis":
      return <em>{inside(node.children)}</em>;
    case "delete":
      return <del>{inside(node.children)}</del>;
    case "inlineCode":
      return <code>{node.value}</code>;
    case "break":
      return <br />;
    case "code":
      return <CodeBlock language={node.lang ?? undefined} code={node.value} />;
    case "blockquote":
      return <blockquote>{inside(node.children)}</blockquote>;
    case "thematicBreak":
      return <hr />;
    case "list":
      return node.ordered ? (
        <ol start={node.start ?? 1}>{items(node.children, depth + 1)}</ol>
      ) : (
        <ul>{items(node.children, depth + 1)}</ul>
      );
    case "table":
      return <Table rows={node.children.map((row) => row.children)} align={node.align ?? []} />;
    case "link":
      return (
        <Link address={node.url} words={inside(node.children)} same={textOf(...node.children) === node.url} />
      );
    case "image":
      return <Picture address={node.url} words={node.alt ?? ""} />;
    case "html":
      return <span className="markdown-raw">{node.value}</span>;
    // References are shown by their words: what they point at may come later, or never.
    case "linkReference":
      return inside(node.children);
    case "imageReference":
      return node.alt ?? "";
    default:
      return null;
  }
}

const children = (nodes: readonly Nodes[], depth: number): ReactNode =>
  nodes.map((node, index) => (
    <Fragment key={node.position?.start.offset ?? `n${index}`}>{rendered(node, depth)}</Fragment>
  ));

const items = (nodes: readonly ListItem[], depth: number): ReactNode =>
  nodes.map((item, index) => (
    <li key={item.position?.start.offset ?? index} dir="auto" data-task={item.checked ?? undefined}>
      {item.checked != null && <span className="markdown-task">{item.checked ? "☑" : "☐"}</span>}
      {/* A tight list's paragraphs are lines, not blocks. */}
      {item.children.map((child, at) => (
        <Fragment key={child.position?.start.offset ?? `n${at}`}>
          {child.type === "paragraph" && !item.spread
            ? children(child.children, depth)
            : rendered(child, depth)}
        </Fragment>
      ))}
    </li>
  ));

function Table({
  rows,
  align,
}: {
  rows: readonly (readonly TableCell[])[];
  align: readonly ("left" | "right" | "center" | null)[];
}) {
  const t = useText();
  const [head = [], ...body] = rows;
  const side = (column: number) => align[column] ?? undefined;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section className="markdown-scroll" tabIndex={0} aria-label={t("chat-table")}>
      <table>
        <thead>
          <tr>
            {head.map((cell, column) => (
              <th key={cell.position?.start.offset} data-align={side(column)} scope="col">
                {children(cell.children, 2)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {body.map((row) => (
            <tr key={row[0]?.position?.start.offset}>
              {row.map((cell, column) => (
                <td key={cell.position?.start.offset} data-align={side(column)}>
                  {children(cell.children, 2)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Displayed({ tex }: { tex: string }) {
  const t = useText();
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section className="markdown-scroll" tabIndex={0} aria-label={t("chat-formula")}>
      <Formula tex={tex} displayed />
    </section>
  );
}

function CodeBlock({ language, code }: { language: string | undefined; code: string }) {
  const t = useText();
  return (
    <figure className="code-block">
      <figcaption>
        <span>{language ?? t("chat-code")}</span>
        <CopyButton text={code} label={t("chat-copy-code")} />
      </figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <pre tabIndex={0} dir="ltr">
        <code>{code}</code>
      </pre>
    </figure>
  );
}

/**
 * Words, and behind them the whole address where the words are another. No `href`: a long press would load a
 * preview, and a browser may look up the host ahead.
 */
function Link({ address, words, same }: { address: string; words: ReactNode; same: boolean }) {
  const telegram = useTelegram();
  const target = safeLink(address);
  const open = () => {
    if (target) telegram?.openLink(target);
  };
  return (
    <>
      {target ? (
        // biome-ignore lint/a11y/useSemanticElements: an anchor needs the href that must not be there
        <span
          role="link"
          tabIndex={0}
          className="text-link"
          onClick={open}
          onKeyDown={(event) => {
            if (event.key === "Enter") open();
          }}
        >
          {words}
        </span>
      ) : (
        words
      )}
      {!same && <span className="markdown-address"> ({target ?? address})</span>}
    </>
  );
}

/** A picture would tell its server who reads, and when: it is named, and never loaded. */
function Picture({ address, words }: { address: string; words: string }) {
  const t = useText();
  return (
    <span className="markdown-picture">
      <Icon name="open" size={16} />
      <Link address={address} words={words === "" ? t("chat-picture") : words} same={false} />
    </span>
  );
}

/** All words of a tree, without recursion. */
function textOf(...roots: readonly Nodes[]): string {
  const words: string[] = [];
  const open: Nodes[] = [...roots].reverse();
  for (let node = open.pop(); node; node = open.pop()) {
    if ("value" in node) words.push(node.value);
    if ("children" in node) open.push(...[...node.children].reverse());
  }
  return words.join("");
}
