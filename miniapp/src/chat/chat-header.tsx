import { IconButton } from "../components/button.tsx";
import { Icon } from "../components/icon.tsx";
import { useText } from "../i18n/use-text.ts";
import type { ModelFacts } from "../models/model-facts.ts";

export function ChatHeader({
  facts,
  onConversations,
  onModels,
  onNew,
  fresh,
}: {
  facts: ModelFacts | undefined;
  onConversations: () => void;
  onModels: () => void;
  onNew: () => void;
  /** Nothing has been said yet: a new chat would be the same. */
  fresh: boolean;
}) {
  const t = useText();
  return (
    <header className="chat-header">
      <IconButton icon="list" label={t("chat-conversations")} onClick={onConversations} />
      <h1 className="unseen">Bombyx</h1>
      <button type="button" className="model-button" onClick={onModels}>
        <span className="unseen">{t("models-choose")}</span>
        <strong>{facts?.name ?? "Bombyx"}</strong>
        {facts?.size && <span>{facts.size}</span>}
        <Icon name="down" size={16} />
      </button>
      <IconButton icon="new" label={t("chat-new")} onClick={onNew} disabled={fresh} />
    </header>
  );
}
