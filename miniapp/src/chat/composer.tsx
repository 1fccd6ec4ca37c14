import { type FormEvent, type KeyboardEvent, useEffect, useLayoutEffect, useRef, useState } from "react";
import { IconButton } from "../components/button.tsx";
import { Icon } from "../components/icon.tsx";
import { useText } from "../i18n/use-text.ts";
import type { ConnectionState } from "../network/connection.ts";
import { useTelegram } from "../telegram/telegram-context.ts";

/** The largest request that can be sealed is 256 KB; this leaves room for the conversation before it. */
const longestQuestion = 60_000;

export interface ComposerProps {
  readonly network: ConnectionState;
  readonly answering: boolean;
  /** Text of the earlier question that is being changed. */
  readonly editing: string | undefined;
  readonly onCancelEdit: () => void;
  readonly onType: () => void;
  readonly onSend: (text: string) => void;
  readonly onStop: () => void;
}

/** Where a person writes: it grows with the text, and Enter sends where there is a keyboard with a Shift. */
export function Composer({
  network,
  answering,
  editing,
  onCancelEdit,
  onType,
  onSend,
  onStop,
}: ComposerProps) {
  const t = useText();
  const telegram = useTelegram();
  const [draft, setDraft] = useState("");
  const [focused, setFocused] = useState(false);
  const area = useRef<HTMLTextAreaElement>(null);
  const ready = network.phase === "sealed";
  const sendable = ready && draft.trim() !== "";

  useEffect(() => {
    if (editing === undefined) return;
    setDraft(editing);
    area.current?.focus();
  }, [editing]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each change of the draft may need another height
  useLayoutEffect(() => {
    const element = area.current;
    if (!element) return;
    element.style.height = "auto";
    element.style.height = `${element.scrollHeight}px`;
  }, [draft]);
  // While a person writes, a drag moves the text and does not close the page.
  useEffect(() => (focused ? telegram?.holdSwipes() : undefined), [focused, telegram]);

  const send = (event?: FormEvent) => {
    event?.preventDefault();
    if (!sendable || answering) return;
    onSend(draft);
    setDraft("");
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape" && editing !== undefined) {
      onCancelEdit();
      setDraft("");
    }
    // On a phone's keyboard Enter is the only way to a new line; and what an input method shows is not written yet.
    const sends = event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing;
    if (sends && (event.ctrlKey || event.metaKey || !matchMedia("(pointer: coarse)").matches)) {
      event.preventDefault();
      send();
    }
  };

  return (
    <form className="composer" onSubmit={send}>
      {editing !== undefined && (
        <p className="composer-editing">
          <Icon name="edit" size={16} />
          <span className="composer-editing-words">{t("chat-editing")}</span>
          <IconButton
            icon="close"
            size="small"
            label={t("chat-edit-cancel")}
            onClick={() => {
              onCancelEdit();
              setDraft("");
            }}
          />
        </p>
      )}
      <div className="composer-line">
        <textarea
          ref={area}
          rows={1}
          value={draft}
          dir="auto"
          maxLength={longestQuestion}
          disabled={network.phase === "refused"}
          placeholder={t(placeholderOf(network))}
          aria-label={t("chat-question")}
          onChange={(event) => {
            setDraft(event.target.value);
            onType();
          }}
          onFocus={() => {
            setFocused(true);
            onType();
          }}
          onBlur={() => setFocused(false)}
          onKeyDown={onKeyDown}
        />
        {answering ? (
          <button type="button" className="send-button" onClick={onStop} aria-label={t("chat-stop")}>
            <Icon name="stop" />
          </button>
        ) : (
          <button
            type="submit"
            className="send-button"
            disabled={!sendable}
            aria-label={t("chat-send")}
            // The keyboard stays up: a tap here must not take the focus off the text.
            onPointerDown={(event) => event.preventDefault()}
          >
            <Icon name="send" />
          </button>
        )}
      </div>
    </form>
  );
}

function placeholderOf({ phase }: ConnectionState): string {
  switch (phase) {
    case "opening":
      return "chat-placeholder-opening";
    case "refused":
      return "chat-placeholder-refused";
    case "sealed":
      return "chat-placeholder";
  }
}
