import type { ChatSnapshot } from "../../../../telegram/bot-api/interface.ts";
import { useSay } from "../words.ts";
import { Avatar } from "./avatar.tsx";

/** The chats of a person, as the narrow column of Telegram's desktop app. */
export function ChatRail(props: {
  readonly chats: readonly (Pick<ChatSnapshot, "key" | "id" | "type"> & {
    readonly title: string;
    readonly botId: number | null;
  })[];
  readonly chosen: string;
  readonly onChoose: (key: string) => void;
}) {
  const { say } = useSay();
  return (
    <nav className="rail" aria-label={say("chat")}>
      {props.chats.map((chat) => (
        <button
          key={chat.key}
          type="button"
          aria-pressed={chat.key === props.chosen}
          onClick={() => props.onChoose(chat.key)}
        >
          <Avatar id={chat.botId ?? chat.id} name={chat.title} isBot={chat.type === "private"} />
          <span>{chat.title}</span>
        </button>
      ))}
    </nav>
  );
}
