import type { MessageEntity } from "@grammyjs/types";
import { Fragment, type ReactNode } from "react";
import { CodeBlock } from "./code-block.tsx";
import { entityTree, type Piece } from "./entity-tree.ts";
import { Growing } from "./growing.tsx";
import { CommandLink, InlineCode, Spoiler, TextLink } from "./tappable.tsx";

/** Text as Telegram formats it: by entities, never by markup. */
export function FormattedText({
  text,
  entities,
}: {
  text: string;
  entities?: readonly MessageEntity[] | undefined;
}) {
  return <Pieces pieces={entityTree(text, entities)} />;
}

function Pieces({ pieces }: { pieces: readonly Piece[] }) {
  return pieces.map((piece, index) =>
    typeof piece === "string" ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: pieces are known by their place
      <Growing key={index} text={piece} />
    ) : (
      // biome-ignore lint/suspicious/noArrayIndexKey: pieces are known by their place
      <Fragment key={index}>{formatted(piece)}</Fragment>
    ),
  );
}

function formatted({ entity, text, inside }: Exclude<Piece, string>): ReactNode {
  const content = <Pieces pieces={inside} />;
  switch (entity.type) {
    case "bold":
      return <b>{content}</b>;
    case "italic":
      return <i>{content}</i>;
    case "underline":
      return <u>{content}</u>;
    case "strikethrough":
      return <s>{content}</s>;
    case "spoiler":
      return <Spoiler>{content}</Spoiler>;
    case "code":
      return <InlineCode text={text}>{content}</InlineCode>;
    case "pre":
      return (
        <CodeBlock text={text} language={entity.language}>
          {content}
        </CodeBlock>
      );
    case "blockquote":
      return <blockquote>{content}</blockquote>;
    case "expandable_blockquote":
      return (
        <details className="quote">
          <summary>{content}</summary>
        </details>
      );
    case "text_link":
      return <TextLink url={entity.url}>{content}</TextLink>;
    case "url":
    case "email":
      return <TextLink url={entity.type === "email" ? `mailto:${text}` : text}>{content}</TextLink>;
    case "bot_command":
      return <CommandLink text={text}>{content}</CommandLink>;
    case "mention":
    case "text_mention":
    case "hashtag":
    case "cashtag":
    case "phone_number":
      return <span className="mention">{content}</span>;
    default:
      return content;
  }
}
