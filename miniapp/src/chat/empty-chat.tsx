import type { ReactNode } from "react";
import { Icon } from "../components/icon.tsx";
import { useLanguage, useText } from "../i18n/use-text.ts";
import type { ModelFacts } from "../models/model-facts.ts";

/** Before the first word: what this is, and questions that the loaded model answers. */
export function EmptyChat({
  facts,
  open,
  disabled,
  onAsk,
  notice,
}: {
  facts: ModelFacts | undefined;
  /** Whoever runs the computer that answers can read: nothing here is called private. */
  open: boolean;
  disabled: boolean;
  onAsk: (question: string) => void;
  notice: ReactNode;
}) {
  const t = useText();
  const language = useLanguage();
  return (
    <section className="empty-chat">
      <div>
        {notice || (
          <header>
            <span className="empty-chat-mark">
              <Icon name={open ? "alert" : "lock"} size={32} />
            </span>
            <h2>{t(open ? "chip-open" : "chat-empty-title")}</h2>
            <p className="empty-chat-lead">{t(open ? "chat-empty-open" : "chat-empty-text")}</p>
          </header>
        )}
        {facts && !notice && (
          <ul>
            {facts.starters.map((id) => (
              <li key={id}>
                <button type="button" disabled={disabled} onClick={() => onAsk(t(id))}>
                  <span>{t(id)}</span>
                  <Icon name="send" size={16} />
                </button>
              </li>
            ))}
          </ul>
        )}
        {facts?.demo && !notice && language !== "en" && (
          <p className="empty-chat-note">{t("starters-english")}</p>
        )}
      </div>
    </section>
  );
}
