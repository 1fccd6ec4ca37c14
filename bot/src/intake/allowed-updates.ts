import type { Update } from "grammy/types";

/** What Telegram is asked for; a feature that listens to something else adds it here. */
export const allowedUpdates: readonly Exclude<keyof Update, "update_id">[] = [
  "message",
  "callback_query",
  "pre_checkout_query",
  "stopped_message_generation",
  "my_chat_member",
];
