import { useState } from "react";
import { Button, IconButton } from "../components/button.tsx";
import { TextField } from "../components/field.tsx";
import { Notice } from "../components/notice.tsx";
import { Section } from "../components/section.tsx";
import { Sheet } from "../components/sheet.tsx";
import { useLanguage, useText } from "../i18n/use-text.ts";
import type { Chat, ChatState } from "./chat.ts";
import type { Head } from "./turn.ts";

/** The conversations of this device: open, rename, delete one or all. */
export function ConversationsSheet({
  state,
  chat,
  onOpen,
  onClose,
}: {
  state: ChatState;
  chat: Chat;
  onOpen: (id: string) => void;
  onClose: () => void;
}) {
  const t = useText();
  const [renaming, setRenaming] = useState<string>();
  const [sure, setSure] = useState(false);
  return (
    <Sheet title={t("chat-conversations")} onClose={onClose}>
      <Button
        icon="new"
        wide
        onClick={() => {
          chat.startNew();
          onClose();
        }}
      >
        {t("chat-new")}
      </Button>
      {state.heads.length === 0 ? (
        <Notice>{t("chat-conversations-empty")}</Notice>
      ) : (
        <Section footer={t("chat-conversations-footer")}>
          {state.heads.map((head) =>
            head.id === renaming ? (
              <Renaming
                key={head.id}
                head={head}
                onDone={(title) => {
                  if (title !== undefined) chat.rename(head.id, title);
                  setRenaming(undefined);
                }}
              />
            ) : (
              <ConversationRow
                key={head.id}
                head={head}
                selected={head.id === state.current.id}
                onOpen={() => onOpen(head.id)}
                onRename={() => setRenaming(head.id)}
                onDelete={() => chat.remove(head.id)}
              />
            ),
          )}
        </Section>
      )}
      {state.heads.length > 0 &&
        (sure ? (
          <Notice
            tone="danger"
            title={t("chat-delete-all-sure")}
            actions={
              <>
                <Button
                  kind="danger"
                  onClick={() => {
                    chat.removeAll();
                    setSure(false);
                  }}
                >
                  {t("chat-delete-all")}
                </Button>
                <Button kind="plain" onClick={() => setSure(false)}>
                  {t("chat-cancel")}
                </Button>
              </>
            }
          />
        ) : (
          <Button kind="danger" icon="trash" wide onClick={() => setSure(true)}>
            {t("chat-delete-all")}
          </Button>
        ))}
    </Sheet>
  );
}

function ConversationRow({
  head,
  selected,
  onOpen,
  onRename,
  onDelete,
}: {
  head: Head;
  selected: boolean;
  onOpen: () => void;
  onRename: () => void;
  onDelete: () => void;
}) {
  const t = useText();
  const language = useLanguage();
  const title = head.title || t("chat-untitled");
  return (
    <div className="conversation-row" data-selected={selected || undefined}>
      <button type="button" onClick={onOpen} aria-current={selected || undefined}>
        <span dir="auto">{title}</span>
        <small>{whenOf(head.changedAt, language)}</small>
      </button>
      <IconButton icon="edit" size="small" label={`${t("chat-rename")}: ${title}`} onClick={onRename} />
      <IconButton icon="trash" size="small" label={`${t("chat-delete")}: ${title}`} onClick={onDelete} />
    </div>
  );
}

function Renaming({ head, onDone }: { head: Head; onDone: (title: string | undefined) => void }) {
  const t = useText();
  const [name, setName] = useState(head.title);
  return (
    <form
      className="conversation-renaming"
      onSubmit={(event) => {
        event.preventDefault();
        onDone(name);
      }}
    >
      <TextField label={t("chat-name")} value={name} onChange={setName} maxLength={120} />
      <div>
        <Button type="submit">{t("chat-save")}</Button>
        <Button kind="plain" onClick={() => onDone(undefined)}>
          {t("chat-cancel")}
        </Button>
      </div>
    </form>
  );
}

const whenOf = (at: number, language: string): string =>
  new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(at);
