import type { Message } from "@grammyjs/types";

/** A row of a chat: a day, or a message and its place among its neighbours. */
export type Line =
  | { readonly kind: "day"; readonly key: string; readonly at: number }
  | {
      readonly kind: "message";
      readonly key: string;
      readonly message: Message;
      readonly isMine: boolean;
      /** First and last of what one person sent in a row. */
      readonly isFirst: boolean;
      readonly isLast: boolean;
    };

const rowMs = 5 * 60_000;

/** @param personId whose eyes: their own messages are on the right. */
export function chatLines(messages: readonly Message[], personId: number): Line[] {
  const lines: Line[] = [];
  let day = "";
  messages.forEach((message, index) => {
    const at = message.date * 1_000;
    const today = new Date(at).toDateString();
    if (today !== day) lines.push({ kind: "day", key: `day ${today}`, at });
    day = today;
    lines.push({
      kind: "message",
      key: `message ${message.message_id}`,
      message,
      isMine: message.from?.id === personId,
      isFirst: !isRow(messages[index - 1], message),
      isLast: !isRow(message, messages[index + 1]),
    });
  });
  return lines;
}

function isRow(one: Message | undefined, next: Message | undefined): boolean {
  if (!one || !next || isService(one) || isService(next)) return false;
  return (
    one.from?.id === next.from?.id &&
    (next.date - one.date) * 1_000 < rowMs &&
    new Date(one.date * 1_000).toDateString() === new Date(next.date * 1_000).toDateString()
  );
}

/** Something that happened, shown in the middle and not as anybody's words. */
export const isService = (message: Message): boolean =>
  message.new_chat_members !== undefined ||
  message.left_chat_member !== undefined ||
  message.group_chat_created !== undefined ||
  message.pinned_message !== undefined ||
  message.forum_topic_created !== undefined ||
  message.successful_payment !== undefined ||
  message.refunded_payment !== undefined;

/** The bot has seen what was sent before its own newest sign of life. */
export function readUpTo(messages: readonly Message[], isBusy: boolean): number {
  if (isBusy) return Number.POSITIVE_INFINITY;
  return messages.findLast((message) => message.from?.is_bot)?.message_id ?? 0;
}

/** One line of a message, for replies and previews. */
export function snippet(message: Message): string {
  const text = message.text ?? message.caption ?? "";
  if (text) return text.slice(0, 120);
  const rich = message.rich_message?.blocks.find((block) => "text" in block);
  if (rich && "text" in rich) return typeof rich.text === "string" ? rich.text.slice(0, 120) : "…";
  return message.photo ? "🖼" : message.document ? "📎" : "…";
}
