import { useState } from "react";
import type { BotSnapshot, ChatSnapshot } from "../../../../telegram/bot-api/interface.ts";
import { useSay } from "../words.ts";
import { Avatar } from "./avatar.tsx";

export function ChatHeader(props: {
  readonly chat: ChatSnapshot;
  readonly bot: BotSnapshot | undefined;
  readonly threadId: number | undefined;
  readonly onThread: (threadId: number | undefined) => void;
  readonly onNewTopic: (name: string) => void;
}) {
  const { chat, bot, threadId } = props;
  const { say } = useSay();
  const isGroup = chat.type !== "private";
  const title = isGroup ? chat.title : (bot?.user.first_name ?? chat.title);
  const isBusy = chat.action !== null || chat.drafts.some(({ isStopped }) => !isStopped);
  const hasTopics = chat.topics.length > 0 || (!isGroup && bot?.user.has_topics_enabled === true);
  return (
    <div className="chat-header">
      <div className="chat-title">
        <Avatar id={isGroup ? chat.id : (bot?.user.id ?? 0)} name={title} isBot={!isGroup} />
        <div>
          <h2>{title}</h2>
          <p data-busy={isBusy || undefined}>
            {isBusy ? (
              <>
                {say("typing")}
                <span className="dots" aria-hidden="true">
                  <i />
                  <i />
                  <i />
                </span>
              </>
            ) : isGroup ? (
              say("members", chat.memberIds.length)
            ) : (
              say("bot")
            )}
          </p>
        </div>
      </div>
      {hasTopics && (
        <nav className="topics" aria-label={say("allTopics")}>
          <button
            type="button"
            aria-pressed={threadId === undefined}
            onClick={() => props.onThread(undefined)}
          >
            {say("allTopics")}
          </button>
          {chat.topics.map((topic) => (
            <button
              key={topic.threadId}
              type="button"
              aria-pressed={threadId === topic.threadId}
              onClick={() => props.onThread(topic.threadId)}
            >
              {topic.name}
            </button>
          ))}
          <NewTopic onName={props.onNewTopic} />
        </nav>
      )}
    </div>
  );
}

function NewTopic({ onName }: { onName: (name: string) => void }) {
  const { say } = useSay();
  const [name, setName] = useState<string>();
  if (name === undefined) {
    return (
      <button type="button" aria-label={say("newTopic")} onClick={() => setName("")}>
        +
      </button>
    );
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (name.trim()) onName(name.trim());
        setName(undefined);
      }}
    >
      <input
        // biome-ignore lint/a11y/noAutofocus: the person has just asked for it
        autoFocus
        value={name}
        aria-label={say("topicName")}
        placeholder={say("topicName")}
        onChange={(event) => setName(event.target.value)}
        onBlur={() => setName(undefined)}
      />
    </form>
  );
}
