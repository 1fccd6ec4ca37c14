import { useSyncExternalStore } from "react";
import type { Connection } from "../network/connection.ts";
import { useConnection } from "../network/use-connection.ts";
import type { TelegramClient } from "../telegram/client.ts";
import { useTelegram } from "../telegram/telegram-context.ts";
import { Chat, type ChatState } from "./chat.ts";
import { openDeviceShelf, shelfName } from "./conversation-shelf.ts";
import { markdownModule } from "./markdown-module.ts";

/** One per page: an answer goes on while another tab is shown. */
let chat: Chat | undefined;

export function useChat(): { readonly chat: Chat; readonly state: ChatState } {
  const connection = useConnection();
  const telegram = useTelegram();
  chat ??= chatOf(connection, telegram);
  return { chat, state: useSyncExternalStore(chat.subscribe, chat.snapshot) };
}

const chatOf = (connection: Connection, telegram: TelegramClient | undefined): Chat =>
  new Chat({
    connection,
    openShelf: () => openDeviceShelf(shelfName(connection.user)),
    now: Date.now,
    newId: () => crypto.randomUUID(),
    // A hidden page paints nothing, and an answer must not wait for it to be looked at.
    beforePaint: (work) =>
      document.visibilityState === "hidden" ? queueMicrotask(work) : void requestAnimationFrame(work),
    haptic: (kind) => telegram?.haptic(kind),
    accepted: () => void markdownModule().catch(() => undefined),
  });
