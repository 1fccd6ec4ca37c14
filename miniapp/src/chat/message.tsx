import { lazy, memo, Suspense } from "react";
import { IconButton } from "../components/button.tsx";
import { Icon } from "../components/icon.tsx";
import { useText } from "../i18n/use-text.ts";
import { wordsFor } from "../network/failure.ts";
import { CopyButton } from "./copy-button.tsx";
import { markdownModule } from "./markdown-module.ts";
import type { Turn } from "./turn.ts";

/** Where the renderer cannot be fetched, an answer is still read as it was written. */
const Markdown = lazy(() =>
  markdownModule().then(
    ({ Markdown }) => ({ default: Markdown }),
    () => ({ default: PlainAnswer }),
  ),
);

function PlainAnswer({ text }: { text: string; growing: boolean }) {
  return (
    <p className="answer-plain" dir="auto">
      {text}
    </p>
  );
}

interface MessageProps {
  readonly turn: Turn;
  readonly onRetry: (() => void) | undefined;
  readonly onEdit: ((turn: Turn) => void) | undefined;
  /** Of the last question and its answer: what can be done is shown without being asked for. */
  readonly newest: boolean;
}

export const Message = memo(function Message(props: MessageProps) {
  return props.turn.role === "user" ? <Question {...props} /> : <Answer {...props} />;
});

function Question({ turn, onEdit, newest, onRetry }: MessageProps) {
  const t = useText();
  return (
    <article className="question" aria-label={t("chat-you")} data-newest={newest || undefined}>
      <p className="question-text" dir="auto">
        {turn.text}
      </p>
      <div className="message-actions">
        <CopyButton text={turn.text} label={t("chat-copy-question")} />
        {onEdit && (
          <IconButton icon="edit" label={t("chat-edit")} size="small" onClick={() => onEdit(turn)} />
        )}
        {onRetry && <IconButton icon="retry" label={t("chat-retry")} size="small" onClick={onRetry} />}
      </div>
    </article>
  );
}

function Answer({ turn, onRetry, newest }: MessageProps) {
  const t = useText();
  const growing = turn.state === "open";
  return (
    <article
      className="answer"
      aria-label={turn.model}
      aria-busy={growing || undefined}
      data-newest={newest || undefined}
    >
      {turn.text === "" && growing && (
        <p className="thinking" role="status">
          <span className="unseen">{t("chat-thinking")}</span>
          <i />
          <i />
          <i />
        </p>
      )}
      {turn.text !== "" && (
        <Suspense fallback={<PlainAnswer text={turn.text} growing={growing} />}>
          <Markdown text={turn.text} growing={growing} />
        </Suspense>
      )}
      <AnswerNote turn={turn} />
      {!growing && (
        <div className="message-actions">
          {turn.text !== "" && <CopyButton text={turn.text} label={t("chat-copy")} />}
          {onRetry && <IconButton icon="retry" label={t("chat-retry")} size="small" onClick={onRetry} />}
        </div>
      )}
    </article>
  );
}

function AnswerNote({ turn }: { turn: Turn }) {
  const t = useText();
  const words =
    turn.state === "stopped"
      ? t("chat-stopped")
      : turn.state === "length"
        ? t("chat-length")
        : turn.state === "cut"
          ? t(wordsFor(turn.failure ?? { code: "INTERNAL" }))
          : undefined;
  // For those who look it up; that a page was closed, everybody knows.
  const code =
    turn.state === "cut" && turn.failure?.code !== "CLOSED" && (turn.failure?.reason ?? turn.failure?.code);
  return (
    <>
      {turn.moves !== undefined && (
        <p className="answer-note">
          <Icon name="moved" size={16} />
          {t("chat-moved", { count: turn.moves })}
        </p>
      )}
      {words && (
        <p className="answer-note" data-tone={turn.state === "cut" ? "danger" : undefined} role="status">
          <Icon name={turn.state === "cut" ? "alert" : "stop"} size={16} />
          <span>
            {words} {code && <code>{code}</code>}
          </span>
        </p>
      )}
    </>
  );
}
