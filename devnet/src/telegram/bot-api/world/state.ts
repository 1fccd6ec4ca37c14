import type {
  BotCommand,
  Chat,
  MenuButton,
  Message,
  ReactionType,
  StarTransaction,
  Update,
  User,
  UserFromGetMe,
} from "@grammyjs/types";
import type { ReplyKeyboardView } from "../interface.ts";

/** Everything that outlives a restart: plain JSON, so that the state file is this and nothing else. */
export interface State {
  readonly version: 1;
  nextUserId: number;
  nextGroupNumber: number;
  readonly bots: Record<string, BotState>;
  readonly persons: Record<string, PersonState>;
  /** By chat key: `private:<bot id>:<person id>` or `group:<chat id>`. */
  readonly chats: Record<string, ChatState>;
  readonly files: Record<string, FileState>;
  /** By the last part of the link. */
  readonly invoiceLinks: Record<string, InvoiceState>;
}

export interface BotState {
  user: UserFromGetMe;
  readonly token: string;
  /** Null while the bot never said: everything but what must be asked for by name. */
  allowedUpdates: readonly string[] | null;
  nextUpdateId: number;
  pending: Update[];
  webhook: WebhookState | null;
  /** By `<scope>|<language code>`. */
  readonly commands: Record<string, readonly BotCommand[]>;
  /** By language code; "" is the default. */
  readonly names: Record<string, string>;
  readonly descriptions: Record<string, string>;
  readonly shortDescriptions: Record<string, string>;
  /** By chat id; `default` for all others. */
  readonly menuButtons: Record<string, MenuButton>;
  stars: number;
  readonly transactions: StarTransaction[];
}

export interface WebhookState {
  readonly url: string;
  readonly secretToken: string;
  readonly maxConnections: number;
  readonly ipAddress?: string;
  readonly hasCustomCertificate: boolean;
  lastErrorAt?: number;
  lastErrorMessage?: string;
}

export interface PersonState {
  user: User;
  stars: number;
  blockedBotIds: number[];
}

export interface ChatState {
  readonly key: string;
  readonly id: number;
  readonly type: "private" | "supergroup";
  title: string;
  /** Of a private chat. */
  readonly botId: number | null;
  /** Of a private chat. */
  readonly personId: number | null;
  readonly isForum: boolean;
  memberIds: number[];
  administratorIds: number[];
  /** Who made the group: its first person. */
  readonly creatorId?: number;
  /** Pages of a reply keyboard's buttons are kept beside it, by label. */
  keyboard?: { readonly view: ReplyKeyboardView; readonly pages: Readonly<Record<string, string>> };
  /** Removed by somebody else: they may not come back by themselves. */
  kickedIds?: number[];
  /** A bot cannot write first: false until the person has. */
  hasStarted: boolean;
  nextMessageId: number;
  readonly messages: Message[];
  readonly topics: TopicState[];
  /** By message id, then by user id. */
  readonly reactions: Record<string, Record<string, readonly ReactionType[]>>;
}

export interface TopicState {
  readonly threadId: number;
  name: string;
  readonly iconColor: number;
  iconCustomEmojiId?: string;
  isClosed: boolean;
}

export interface FileState {
  readonly uniqueId: string;
  readonly botId: number | null;
  readonly name: string;
  readonly mimeType: string;
  readonly size: number;
  readonly path: string;
  readonly kind: "photo" | "voice" | "document" | "audio" | "video" | "animation";
  readonly width?: number;
  readonly height?: number;
  readonly durationS?: number;
}

export interface InvoiceState {
  readonly botId: number;
  readonly title: string;
  readonly payload: string;
  readonly currency: string;
  readonly amount: number;
  readonly subscriptionPeriodS?: number;
}

/** The parts of {@link Chat} that a private chat takes from its person. */
export type PrivateChat = Chat.PrivateChat;

export function emptyState(): State {
  return {
    version: 1,
    // Ids as large as Telegram's own, so that nothing is written that only holds small ones.
    nextUserId: 7_000_000_001,
    nextGroupNumber: 2_000_000_001,
    bots: {},
    persons: {},
    chats: {},
    files: {},
    invoiceLinks: {},
  };
}
