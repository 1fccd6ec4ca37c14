import type { Message, ReactionType, Update } from "@grammyjs/types";
import type {
  BotSnapshot,
  ChatId,
  ChatSnapshot,
  DraftView,
  PaymentOutcome,
  TelegramSnapshot,
  TopicView,
} from "./interface.ts";

/** What happened. `id` increases by one; `chat` is {@link ChatView.key}. */
export type TelegramEvent = {
  /** Goes on after the newest one, also across a restart with a file. */
  readonly id: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
} & TelegramEventBody;

export type TelegramEventBody =
  | { readonly type: "message"; readonly chat: string; readonly message: Message }
  | { readonly type: "message_edited"; readonly chat: string; readonly message: Message }
  | { readonly type: "messages_deleted"; readonly chat: string; readonly messageIds: readonly number[] }
  | { readonly type: "draft"; readonly chat: string; readonly draft: DraftView }
  | {
      readonly type: "draft_gone";
      readonly chat: string;
      readonly draftId: number;
      readonly reason: "expired" | "message" | "replaced" | "stopped";
    }
  | { readonly type: "action"; readonly chat: string; readonly action: string | null }
  | {
      readonly type: "reaction";
      readonly chat: string;
      readonly messageId: number;
      readonly fromId: number;
      readonly reactions: readonly ReactionType[];
    }
  | { readonly type: "topic"; readonly chat: string; readonly topic: TopicView }
  | { readonly type: "topic_deleted"; readonly chat: string; readonly threadId: number }
  | { readonly type: "chat"; readonly chat: string; readonly snapshot: ChatSnapshot }
  | { readonly type: "bot"; readonly bot: BotSnapshot }
  | { readonly type: "person"; readonly person: TelegramSnapshot["persons"][number] }
  | {
      readonly type: "callback_answered";
      readonly chat: string;
      readonly queryId: string;
      readonly text: string;
      readonly showAlert: boolean;
      readonly url?: string;
    }
  | { readonly type: "payment"; readonly chat: string; readonly outcome: PaymentOutcome }
  | { readonly type: "call"; readonly call: RecordedCall }
  | { readonly type: "update"; readonly botId: number; readonly update: Update };

/** One request of a bot, as it came over the wire. */
export interface RecordedCall {
  readonly id: number;
  readonly at: number;
  readonly botId: number;
  readonly method: string;
  /** Parameters after decoding: nested JSON is parsed, an uploaded file is `{ file: { name, size } }`. */
  readonly payload: Readonly<Record<string, unknown>>;
  /** Absent while it runs. */
  readonly response?: RecordedResponse;
}

export type RecordedResponse =
  | { readonly ok: true; readonly result: unknown }
  | {
      readonly ok: false;
      readonly error_code: number;
      readonly description: string;
      readonly parameters?: { readonly retry_after?: number; readonly migrate_to_chat_id?: number };
    }
  /** A fault cut the connection. */
  | { readonly ok: false; readonly dropped: true };

/** Makes matching calls fail, or wait. */
export interface Fault {
  /** Any method but `getUpdates` when left out; names as Telegram writes them. */
  readonly method?: string | readonly string[];
  readonly chatId?: ChatId;
  /** Further condition on what was asked. */
  readonly when?: (call: RecordedCall) => boolean;
  /** How many calls. @default 1 */
  readonly times?: number;
  readonly how:
    | { readonly kind: "flood"; readonly retryAfterS: number }
    | { readonly kind: "error"; readonly errorCode: number; readonly description: string }
    /** The connection ends without an answer: before the method ran, or after it has taken effect. */
    | { readonly kind: "drop"; readonly effect: "none" | "done" }
    /** The method runs when `release` is resolved. */
    | { readonly kind: "hold"; readonly release: Promise<unknown> };
}
