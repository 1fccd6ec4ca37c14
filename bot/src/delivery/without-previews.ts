import type { Transformer } from "grammy";
import { noPreview } from "./send-message.ts";

/** No page is fetched because a message names it, whichever feature sends that message. */
export const withoutPreviews: Transformer = (prev, method, payload, signal) => {
  const hasText = (method === "sendMessage" || method === "editMessageText") && "text" in payload;
  return prev(method, hasText ? { ...noPreview, ...payload } : payload, signal);
};
