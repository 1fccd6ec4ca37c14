import { GrammyError } from "grammy";

/** What Telegram's refusal of a message means for it. */
export type Refusal =
  /** Too much at once: not before `waitMs`. */
  | { readonly kind: "later"; readonly waitMs: number }
  /** Nobody answered, or Telegram is broken: try again, slower each time. */
  | { readonly kind: "unreachable" }
  /** This method is unknown to the server, whatever it is given. */
  | { readonly kind: "unsupported" }
  /** The formatting or the length: say it in a simpler way. */
  | { readonly kind: "format" }
  /** The message to be edited is gone, or is another kind of message. */
  | { readonly kind: "edit" }
  /** The topic is gone. */
  | { readonly kind: "topic" }
  /** It shows this already. */
  | { readonly kind: "same" }
  | { readonly kind: "moved"; readonly chatId: number }
  /** Blocked, kicked out, or without the right to write. */
  | { readonly kind: "gone" };

const gone =
  /chat not found|user is deactivated|not enough rights|have no rights|CHAT_WRITE_FORBIDDEN|PEER_ID_INVALID|need administrator|chat_restricted|TOPIC_CLOSED/i;

/** What is no refusal of Telegram's, a full disk for example, is not a reason to give a message up either. */
export function readRefusal(error: unknown): Refusal {
  if (!(error instanceof GrammyError)) return { kind: "unreachable" };
  const { error_code: code, description, parameters } = error;
  if (parameters?.migrate_to_chat_id !== undefined)
    return { kind: "moved", chatId: parameters.migrate_to_chat_id };
  if (code === 429) return { kind: "later", waitMs: (parameters?.retry_after ?? 1) * 1_000 };
  if (code >= 500) return { kind: "unreachable" };
  if (code === 404) return { kind: "unsupported" };
  if (code === 403 || gone.test(description)) return { kind: "gone" };
  if (/message is not modified/i.test(description)) return { kind: "same" };
  if (/message to edit not found|message can't be edited|MESSAGE_ID_INVALID/i.test(description))
    return { kind: "edit" };
  if (/message thread not found|TOPIC_DELETED|TOPIC_ID_INVALID/i.test(description)) return { kind: "topic" };
  return { kind: "format" };
}
