import { useEffect, useState } from "react";
import { loadMessages } from "../i18n/messages.ts";
import { modelFacts } from "../models/model-facts.ts";
import type { ConnectionState } from "../network/connection.ts";
import { useConnection, useConnectionState } from "../network/use-connection.ts";
import { useTelegram } from "../telegram/telegram-context.ts";
import { ChatHeader } from "./chat-header.tsx";
import "./chat-tab.css";
import { Composer } from "./composer.tsx";
import { ConversationsSheet } from "./conversations-sheet.tsx";
import { EmptyChat } from "./empty-chat.tsx";
import { Messages } from "./messages.tsx";
import { ModelSheet } from "./model-sheet.tsx";
import { ProofSheetLater } from "./proof-sheet-later.tsx";
import { RefusalNotice } from "./refusal-notice.tsx";
import { StatusChip } from "./status-chip.tsx";
import type { Turn } from "./turn.ts";
import { useChat } from "./use-chat.ts";

await loadMessages({ en: () => import("./en.ftl?raw"), ru: () => import("./ru.ftl?raw") });

type Open = "conversations" | "models" | "proof" | undefined;

/** A session that waited long may have ended; it is looked at again at most this often while a person types. */
const warmEveryMs = 20_000;

export function ChatTab() {
  const { chat, state } = useChat();
  const network = useConnectionState();
  const connection = useConnection();
  const telegram = useTelegram();
  const [sheet, setSheet] = useState<Open>();
  const [editing, setEditing] = useState<Turn>();
  const { current, answering } = state;
  const facts = factsOf(network);
  const warm = useWarmth(connection.open);

  useEffect(() => telegram?.confirmClosing(answering), [telegram, answering]);

  const choose = (open: Open) => {
    telegram?.haptic("selection");
    setSheet(open);
  };
  return (
    <div className="chat">
      <ChatHeader
        facts={facts}
        onConversations={() => choose("conversations")}
        onModels={() => choose("models")}
        onNew={() => {
          setEditing(undefined);
          chat.startNew();
        }}
        fresh={current.turns.length === 0}
      />
      <StatusChip network={network} onOpen={() => choose("proof")} />
      {current.turns.length === 0 ? (
        <EmptyChat
          facts={facts}
          open={network.phase === "sealed" && network.proof.verdict.tee === "none"}
          disabled={network.phase !== "sealed"}
          onAsk={chat.ask}
          notice={network.phase === "refused" && <RefusalNotice network={network} />}
        />
      ) : (
        <Messages
          key={current.id}
          turns={current.turns}
          answering={answering}
          onRetry={network.phase === "sealed" ? chat.retry : undefined}
          onEdit={network.phase === "sealed" ? setEditing : undefined}
          notice={network.phase === "refused" && <RefusalNotice network={network} />}
          kept={state.kept}
        />
      )}
      <Composer
        network={network}
        answering={answering}
        editing={editing?.text}
        onCancelEdit={() => setEditing(undefined)}
        onType={warm}
        onStop={chat.stop}
        onSend={(text) => {
          if (editing) chat.resend(editing.id, text);
          else chat.ask(text);
          setEditing(undefined);
        }}
      />
      {sheet === "conversations" && (
        <ConversationsSheet
          state={state}
          onClose={() => setSheet(undefined)}
          onOpen={(id) => {
            setEditing(undefined);
            setSheet(undefined);
            void chat.open(id);
          }}
          chat={chat}
        />
      )}
      {sheet === "models" && <ModelSheet network={network} onClose={() => setSheet(undefined)} />}
      {sheet === "proof" && <ProofSheetLater network={network} onClose={() => setSheet(undefined)} />}
    </div>
  );
}

const factsOf = (network: ConnectionState) => {
  if (network.model === undefined) return undefined;
  if (network.phase !== "sealed") return modelFacts(network.model);
  const { verdict } = network.proof;
  return modelFacts(
    network.model,
    verdict.manifests.find(({ model }) => model === network.model)?.ggufSha256,
  );
};

function useWarmth(open: () => Promise<void>): () => void {
  const [last] = useState({ at: 0 });
  return () => {
    const now = performance.now();
    if (now - last.at < warmEveryMs) return;
    last.at = now;
    void open();
  };
}
