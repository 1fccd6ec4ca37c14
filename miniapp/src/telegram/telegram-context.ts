import { createContext, useContext } from "react";
import type { TelegramClient } from "./client.ts";

export const TelegramContext = createContext<TelegramClient | undefined>(undefined);

/** Telegram's app around the page; `undefined` outside of it. */
export const useTelegram = (): TelegramClient | undefined => useContext(TelegramContext);
