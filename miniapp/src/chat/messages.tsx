import { type ReactNode, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import { Icon } from "../components/icon.tsx";
import { Notice } from "../components/notice.tsx";
import { useText } from "../i18n/use-text.ts";
import { useTelegram } from "../telegram/telegram-context.ts";
import { Message } from "./message.tsx";
import type { Turn } from "./turn.ts";

/** Within this of the end, a reader counts as reading the newest. */
const nearEndPx = 64;

/**
 * The conversation. It follows the newest words for as long as the reader is there, and stays where the reader
 * went otherwise.
 */
export function Messages({
  turns,
  answering,
  onRetry,
  onEdit,
  notice,
  kept,
}: {
  turns: readonly Turn[];
  answering: boolean;
  onRetry: (() => void) | undefined;
  onEdit: ((turn: Turn) => void) | undefined;
  notice: ReactNode;
  kept: boolean;
}) {
  const t = useText();
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const following = useRef(true);
  const [behind, setBehind] = useState(false);

  const toEnd = useCallback(() => {
    const element = scroller.current;
    if (element) element.scrollTop = element.scrollHeight;
  }, []);
  useLayoutEffect(toEnd, [toEnd]);
  // A new question is always brought into view; words of an answer only for those who follow it.
  const questions = turns.filter(({ role }) => role === "user").length;
  // biome-ignore lint/correctness/useExhaustiveDependencies: what happens on each new question
  useLayoutEffect(() => {
    following.current = true;
    setBehind(false);
    toEnd();
  }, [questions, toEnd]);
  useEffect(() => {
    const element = content.current;
    const frame = scroller.current;
    if (!element || !frame) return;
    const grown = new ResizeObserver(() => {
      if (following.current) toEnd();
    });
    grown.observe(element);
    grown.observe(frame);
    return () => grown.disconnect();
  }, [toEnd]);

  const telegram = useTelegram();
  // Reading back ends at the top: a drag there must not close the page.
  useEffect(() => telegram?.holdSwipes(), [telegram]);

  const last = turns.at(-1);
  const lastQuestion = turns.findLastIndex(({ role }) => role === "user");
  return (
    <div className="messages-frame">
      <section
        ref={scroller}
        className="messages"
        aria-label={t("tab-chat")}
        onScroll={({ currentTarget: element }) => {
          const near = element.scrollHeight - element.scrollTop - element.clientHeight < nearEndPx;
          following.current = near;
          setBehind(!near);
        }}
      >
        <div ref={content} className="messages-column" aria-live="polite">
          {!kept && <Notice tone="warn">{t("chat-not-kept")}</Notice>}
          {turns.map((turn, index) => (
            <Message
              key={turn.id}
              turn={turn}
              onRetry={turn === last && !answering ? onRetry : undefined}
              onEdit={turn.role === "user" && !answering ? onEdit : undefined}
              newest={index >= lastQuestion}
            />
          ))}
          {notice}
        </div>
      </section>
      {behind && (
        <button
          type="button"
          className="to-latest"
          aria-label={t("chat-latest")}
          onClick={() => {
            following.current = true;
            // At once: a glide would still be under way when the next words come, and end above them.
            toEnd();
          }}
        >
          <Icon name="down" />
        </button>
      )}
    </div>
  );
}
