import type { Message } from "@grammyjs/types";
import type { ReactNode } from "react";
import { useSay } from "../words.ts";
import { Avatar } from "./avatar.tsx";
import { snippet } from "./chat-lines.ts";
import { FormattedText } from "./entities.tsx";
import { InlineKeyboard } from "./keyboard.tsx";
import { colourOf, fullName } from "./names.ts";
import { RichBlocks } from "./rich-blocks.tsx";

export interface BubbleProps {
  readonly message: Message;
  readonly isMine: boolean;
  readonly isFirst: boolean;
  readonly isLast: boolean;
  readonly isRead: boolean;
  /** Names and faces are shown among several. */
  readonly isGroup: boolean;
  readonly reactions: readonly string[];
  readonly onPress: (row: number, column: number) => Promise<void>;
  readonly onPay: () => void;
  readonly onMenu: (at: { x: number; y: number }) => void;
}

/** One message, as Telegram shows it. */
export function Bubble(props: BubbleProps) {
  const { message, isMine, isFirst, isLast, isGroup, reactions } = props;
  const { say } = useSay();
  const sender = message.from;
  const name = sender ? fullName(sender) : "";
  const keyboard = message.reply_markup?.inline_keyboard;
  return (
    <article
      className={`row ${isMine ? "mine" : "theirs"}`}
      data-last={isLast || undefined}
      aria-label={name}
      onContextMenu={(event) => {
        event.preventDefault();
        props.onMenu({ x: event.clientX, y: event.clientY });
      }}
    >
      {isGroup && !isMine && (
        <span className="face">
          {isLast && sender && <Avatar id={sender.id} name={name} isBot={sender.is_bot} />}
        </span>
      )}
      <div className="column">
        <div className="bubble" data-wide={isWide(message) || undefined}>
          {isGroup && !isMine && isFirst && sender && (
            <b className="sender" data-colour={sender.is_bot ? "bot" : colourOf(sender.id)}>
              {name}
            </b>
          )}
          {message.reply_to_message && <Quoted message={message.reply_to_message} />}
          <Content message={message} onPay={props.onPay} />
          {reactions.length > 0 && <span className="reactions">{reactions.join(" ")}</span>}
          <Meta message={message} isMine={isMine} isRead={props.isRead} />
        </div>
        {keyboard && keyboard.length > 0 && <InlineKeyboard rows={keyboard} onPress={props.onPress} />}
      </div>
      <button
        type="button"
        className="more"
        aria-label={say("messageMenu")}
        onClick={(event) => {
          const { right, bottom } = event.currentTarget.getBoundingClientRect();
          props.onMenu({ x: right, y: bottom });
        }}
      >
        ⋯
      </button>
    </article>
  );
}

/** What has lines of its own takes all the width there is. */
const isWide = (message: Message): boolean =>
  message.rich_message?.blocks.some(({ type }) => type === "table" || type === "pre") ?? false;

function Content({ message, onPay }: { message: Message; onPay: () => void }): ReactNode {
  const { say } = useSay();
  if (message.rich_message) {
    return (
      <div className="rich" dir={message.rich_message.is_rtl ? "rtl" : undefined}>
        <RichBlocks blocks={message.rich_message.blocks} />
      </div>
    );
  }
  if (message.text !== undefined) {
    return (
      <div className="text">
        <FormattedText text={message.text} entities={message.entities} />
      </div>
    );
  }
  const caption = message.caption !== undefined && (
    <div className="text">
      <FormattedText text={message.caption} entities={message.caption_entities} />
    </div>
  );
  if (message.invoice) {
    const { title, description, total_amount } = message.invoice;
    return (
      <div className="invoice">
        <b>{title}</b>
        <p>{description}</p>
        {!message.reply_markup && (
          <button type="button" className="pay" onClick={onPay}>
            {say("pay", total_amount)}
          </button>
        )}
      </div>
    );
  }
  const file = message.document ? "document" : message.voice ? "voice" : undefined;
  const photo = message.photo?.at(-1);
  if (photo) {
    return (
      <>
        <img
          className="photo"
          src={`/_people/files/${encodeURIComponent(photo.file_id)}`}
          width={photo.width}
          height={photo.height}
          alt={message.caption ?? say("photo")}
        />
        {caption}
      </>
    );
  }
  if (file) {
    return (
      <>
        <div className="file" data-kind={file}>
          {message.document?.file_name ?? say(file)}
        </div>
        {caption}
      </>
    );
  }
  return <div className="text quiet">{say("unseen", Object.keys(message).at(-1) ?? "")}</div>;
}

function Quoted({ message }: { message: Message }) {
  return (
    <div className="quoted" data-colour={message.from?.is_bot ? "bot" : colourOf(message.from?.id ?? 0)}>
      <b>{message.from ? fullName(message.from) : ""}</b>
      <span>{snippet(message)}</span>
    </div>
  );
}

function Meta({ message, isMine, isRead }: { message: Message; isMine: boolean; isRead: boolean }) {
  const { say, language } = useSay();
  const at = new Date(message.date * 1_000);
  return (
    <span className="meta">
      {message.edit_date !== undefined && <i>{say("edited")}</i>}
      <time dateTime={at.toISOString()}>
        {at.toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit", hour12: false })}
      </time>
      {isMine && (
        <span
          className="ticks"
          data-read={isRead || undefined}
          role="img"
          aria-label={say(isRead ? "read" : "sent")}
        />
      )}
    </span>
  );
}
