import type { MenuButton, Message } from "@grammyjs/types";
import { useMemo, useState } from "react";
import type { BotSnapshot, ChatSnapshot, Pressed } from "../../../../telegram/bot-api/interface.ts";
import { commandsOf, inLanguage } from "../telegram/bot-texts.ts";
import type { People, SeatRef } from "../telegram/people.ts";
import { reactionKey } from "../telegram/use-telegram.ts";
import { useSay } from "../words.ts";
import { ChatHeader } from "./chat-header.tsx";
import { snippet } from "./chat-lines.ts";
import { Composer } from "./composer.tsx";
import { linkKind, type Taps, TapsContext } from "./links.ts";
import { MessageList } from "./message-list.tsx";
import { MessageMenu } from "./message-menu.tsx";
import { ReplyKeyboard } from "./reply-keyboard.tsx";
import { plainText } from "./rich-text.tsx";

export interface Notices {
  /** A line over the chat that goes away by itself. */
  toast(text: string): void;
  alert(text: string): void;
  /** Asks before a link opens. */
  confirmLink(url: string): void;
}

/** One chat as one person sees it. */
export function ChatPane(props: {
  readonly people: People;
  readonly chat: ChatSnapshot;
  readonly bot: BotSnapshot | undefined;
  readonly personId: number;
  readonly reactions: Readonly<Record<string, readonly string[]>>;
  readonly notices: Notices;
  readonly onMiniapp: (button?: { messageId: number; label: string }) => void;
}) {
  const { people, chat, bot, personId, notices } = props;
  const { say, language } = useSay();
  const [threadId, setThreadId] = useState<number>();
  const [menu, setMenu] = useState<{ message: Message; at: { x: number; y: number } }>();
  const [replyTo, setReplyTo] = useState<Message>();
  const seat: SeatRef = useMemo(() => ({ personId, chat: chat.key }), [personId, chat.key]);
  /** The message whose keyboard is put away. */
  const [folded, setFolded] = useState<number>();
  const keyboard = chat.keyboard ?? undefined;
  const isKeyboardOpen = keyboard !== undefined && folded !== keyboard.messageId;
  const isGroup = chat.type !== "private";
  const inThread = <T extends { message_thread_id?: number }>(one: T) =>
    threadId === undefined || one.message_thread_id === threadId;
  const messages = chat.messages.filter(inThread);
  const drafts = chat.drafts.filter((draft) => threadId === undefined || draft.threadId === threadId);

  const attempt = (work: Promise<unknown>): Promise<void> =>
    work.then(
      () => undefined,
      (error: unknown) =>
        notices.toast(say("failed", error instanceof Error ? error.message : String(error))),
    );
  const send = (text: string) => {
    const options = {
      ...(threadId !== undefined && { threadId }),
      ...(replyTo && { replyTo: replyTo.message_id }),
    };
    setReplyTo(undefined);
    void attempt(people.send(seat, text, options));
  };
  const copy = (text: string) => {
    void navigator.clipboard.writeText(text).then(
      () => notices.toast(say("copied")),
      () => undefined,
    );
  };
  const taps: Taps = {
    command: send,
    copy,
    link: (url) => {
      const kind = linkKind(url);
      if (kind === "web") notices.confirmLink(url);
      else notices.toast(say(kind === "telegram" ? "noTelegramLink" : "badLink"));
    },
  };
  const pressed = (message: Message, result: Pressed) => {
    switch (result.kind) {
      case "answered":
        if (result.url !== undefined) taps.link(result.url);
        else if (result.showAlert) notices.alert(result.text);
        else if (result.text) notices.toast(result.text);
        break;
      case "url":
        taps.link(result.url);
        break;
      case "copied":
        copy(result.text);
        break;
      case "invoice":
        pay(message);
        break;
      case "mini_app":
        break;
    }
  };
  const press = async (message: Message, row: number, column: number): Promise<void> => {
    const button = message.reply_markup?.inline_keyboard[row]?.[column];
    if (button && "web_app" in button) {
      props.onMiniapp({ messageId: message.message_id, label: button.text });
      return;
    }
    await attempt(
      people.press(seat, message.message_id, [row, column]).then((result) => pressed(message, result)),
    );
  };
  const pay = (message: Message) => {
    void attempt(
      people
        .pay(seat, message.message_id)
        .then((outcome) =>
          notices.toast(outcome.status === "paid" ? say("paid") : say("paymentFailed", outcome.reason)),
        ),
    );
  };

  const menuButton: MenuButton | undefined =
    bot && (bot.menuButtons[String(personId)] ?? bot.menuButtons.default);
  return (
    <TapsContext value={taps}>
      <section className="chat" aria-label={chat.title}>
        <ChatHeader
          chat={chat}
          bot={bot}
          threadId={threadId}
          onThread={setThreadId}
          onNewTopic={(name) => void attempt(people.createTopic(seat, name))}
        />
        <MessageList
          chatKey={`${chat.key} ${personId} ${threadId}`}
          messages={messages}
          drafts={drafts}
          action={chat.action}
          personId={personId}
          isGroup={isGroup}
          description={isGroup || !bot ? "" : inLanguage(bot.descriptions, language, "")}
          botName={bot?.user.first_name ?? ""}
          reactionsOf={(message) => props.reactions[reactionKey(chat.key, message.message_id)] ?? []}
          onStart={() => send("/start")}
          onStop={(draft) => void attempt(people.stop(seat, draft.draftId))}
          onPress={press}
          onPay={pay}
          onMenu={(message, at) => setMenu({ message, at })}
        />
        <Composer
          commands={bot ? commandsOf(bot, isGroup, language) : []}
          menuButton={isGroup ? undefined : menuButton}
          replyTo={replyTo}
          onCancelReply={() => setReplyTo(undefined)}
          onSend={send}
          onPhoto={(photo) =>
            void attempt(people.sendPhoto(seat, photo, threadId === undefined ? {} : { threadId }))
          }
          onMiniapp={() => props.onMiniapp()}
          hint={keyboard?.placeholder ?? (isGroup && bot ? say("mentionHint", bot.user.username) : undefined)}
          keyboard={
            keyboard && {
              isOpen: isKeyboardOpen,
              onToggle: () => setFolded(isKeyboardOpen ? keyboard.messageId : undefined),
            }
          }
        />
        {keyboard && isKeyboardOpen && (
          <ReplyKeyboard
            keyboard={keyboard}
            onPress={(button) => {
              if (button.does === "mini_app") {
                props.onMiniapp({ messageId: keyboard.messageId, label: button.text });
              } else if (button.does === "other") {
                notices.toast(say("noSuchKey"));
              } else {
                if (keyboard.isOneTime) setFolded(keyboard.messageId);
                send(button.text);
              }
            }}
          />
        )}
        {menu && (
          <MessageMenu
            at={menu.at}
            onReply={() => setReplyTo(menu.message)}
            onCopy={() => copy(wordsOf(menu.message))}
            onReact={(emoji) => {
              const has = props.reactions[reactionKey(chat.key, menu.message.message_id)]?.includes(emoji);
              void attempt(people.react(seat, menu.message.message_id, has ? undefined : emoji));
            }}
            onClose={() => setMenu(undefined)}
          />
        )}
      </section>
    </TapsContext>
  );
}

function wordsOf(message: Message): string {
  const rich = message.rich_message?.blocks
    .map((block) => ("text" in block ? plainText(block.text) : ""))
    .filter(Boolean)
    .join("\n\n");
  return message.text ?? message.caption ?? rich ?? snippet(message);
}
