import { createContext, use } from "react";

/** What a tap on something in a message does; nothing happens by itself. */
export interface Taps {
  /** Asks before anything opens. */
  link(url: string): void;
  command(text: string): void;
  copy(text: string): void;
}

export const TapsContext = createContext<Taps>({ link: () => {}, command: () => {}, copy: () => {} });
export const useTaps = () => use(TapsContext);

/** Where a link of a message may lead: a web page, Telegram itself, or nowhere. */
export function linkKind(url: string): "web" | "telegram" | "none" {
  let parsed: URL;
  try {
    parsed = new URL(/^[a-z][a-z0-9+.-]*:/i.test(url) ? url : `https://${url}`);
  } catch {
    return "none";
  }
  if (parsed.protocol === "tg:") return "telegram";
  if (parsed.protocol !== "https:" && parsed.protocol !== "http:") return "none";
  return /^(t\.me|telegram\.me)$/.test(parsed.hostname) ? "telegram" : "web";
}
