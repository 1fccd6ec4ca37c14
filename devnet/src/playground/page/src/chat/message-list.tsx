import type { Message } from "@grammyjs/types";
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import type { DraftView } from "../../../../telegram/bot-api/interface.ts";
import { useSay } from "../words.ts";
import { Bubble } from "./bubble.tsx";
import { chatLines, isService, readUpTo } from "./chat-lines.ts";
import { DraftBubble } from "./draft-bubble.tsx";
import { DayLine, ServiceLine } from "./service-line.tsx";

/** Who is this near to the end reads along with what comes. */
const nearPx = 120;

/** Messages from the oldest to what is being written; follows the end until somebody scrolls up. */
export function MessageList(props: {
  readonly chatKey: string;
  readonly messages: readonly Message[];
  readonly drafts: readonly DraftView[];
  readonly action: string | null;
  readonly personId: number;
  readonly isGroup: boolean;
  readonly description: string;
  readonly botName: string;
  readonly reactionsOf: (message: Message) => readonly string[];
  readonly onStart: () => void;
  readonly onStop: (draft: DraftView) => void;
  readonly onPress: (message: Message, row: number, column: number) => Promise<void>;
  readonly onPay: (message: Message) => void;
  readonly onMenu: (message: Message, at: { x: number; y: number }) => void;
}) {
  const { messages, drafts, action, personId, isGroup } = props;
  const { say } = useSay();
  const list = useRef<HTMLDivElement>(null);
  const inner = useRef<HTMLDivElement>(null);
  const isFollowing = useRef(true);
  const [isAway, setAway] = useState(false);
  const lines = chatLines(messages, personId);
  const read = readUpTo(messages, drafts.length > 0 || action !== null);

  const toEnd = (behavior: ScrollBehavior) => {
    isFollowing.current = true;
    list.current?.scrollTo({ top: list.current.scrollHeight, behavior });
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: another chat begins at its end
  useLayoutEffect(() => toEnd("instant"), [props.chatKey]);
  useEffect(() => {
    if (!inner.current || !list.current) return;
    // Whatever makes the content or the room for it change: a message, a draft that grows, a keyboard.
    const watch = new ResizeObserver(() => {
      if (isFollowing.current)
        list.current?.scrollTo({ top: list.current.scrollHeight, behavior: "instant" });
    });
    watch.observe(inner.current);
    watch.observe(list.current);
    return () => watch.disconnect();
  }, []);
  const newest = messages.at(-1);
  useEffect(() => {
    if (newest?.from?.id === personId) {
      isFollowing.current = true;
      list.current?.scrollTo({ top: list.current.scrollHeight, behavior: "instant" });
    }
  }, [newest, personId]);

  return (
    <div className="list-frame">
      <div
        ref={list}
        className="list"
        role="log"
        aria-label={say("chat")}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        tabIndex={0}
        onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
          const away = scrollHeight - scrollTop - clientHeight;
          isFollowing.current = away < nearPx;
          setAway(away > nearPx * 3);
        }}
      >
        <div ref={inner} className="list-inner">
          {lines.length === 0 && (
            <div className="empty">
              <div className="empty-card">
                <b>{props.description ? say("emptyTitle") : props.botName}</b>
                {props.description && <p>{props.description}</p>}
              </div>
              {!isGroup && (
                <button type="button" className="start-button" onClick={props.onStart}>
                  {say("startButton")}
                </button>
              )}
            </div>
          )}
          {lines.map((line) =>
            line.kind === "day" ? (
              <DayLine key={line.key} at={line.at} />
            ) : isService(line.message) ? (
              <ServiceLine key={line.key} message={line.message} />
            ) : (
              <Bubble
                key={line.key}
                message={line.message}
                isMine={line.isMine}
                isFirst={line.isFirst}
                isLast={line.isLast}
                isRead={line.message.message_id <= read}
                isGroup={isGroup}
                reactions={props.reactionsOf(line.message)}
                onPress={(row, column) => props.onPress(line.message, row, column)}
                onPay={() => props.onPay(line.message)}
                onMenu={(at) => props.onMenu(line.message, at)}
              />
            ),
          )}
          {drafts.map((draft) => (
            <DraftBubble key={draft.draftId} draft={draft} onStop={() => props.onStop(draft)} />
          ))}
        </div>
      </div>
      {isAway && (
        <button
          type="button"
          className="to-end"
          aria-label={say("scrollDown")}
          onClick={() => toEnd("smooth")}
        />
      )}
    </div>
  );
}
