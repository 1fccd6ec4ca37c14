import type { KeyObject } from "node:crypto";
import type {
  BotCommand,
  BotCommandScope,
  MenuButton,
  Message,
  MessageEntity,
  ReactionType,
  RichMessage,
  Update,
  User,
  UserFromGetMe,
} from "@grammyjs/types";
import type { Fault, RecordedCall, TelegramEvent } from "./events.ts";

export type * from "./events.ts";

/**
 * A Bot API on this machine, and the people in front of it. Bots speak to {@link LocalBotApi.url} as they would to
 * `https://api.telegram.org`; tests and the playground act as the people through {@link LocalBotApi.telegram}.
 */
export interface LocalBotApi extends AsyncDisposable {
  /** What grammY takes as `client.apiRoot`, e.g. `http://127.0.0.1:41234`. */
  readonly url: string;
  readonly telegram: Telegram;
  /** Ends every long poll and stream, stops timers, writes what is to be kept. */
  close(): Promise<void>;
}

export interface LocalBotApiOptions {
  /** 0, the default, takes any free port. */
  readonly port?: number;
  /** Loopback only; 127.0.0.1 when left out. */
  readonly host?: "127.0.0.1" | "::1";
  readonly clock?: Clock;
  /** Ed25519 private key that signs init data for third parties; a new one when left out. */
  readonly initDataKey?: KeyObject;
  /** `"off"` for a test that is not about flood limits. Telegram's own are the default: {@link FloodLimits}. */
  readonly limits?: Partial<FloodLimits> | "off";
  /** Keeps everything across restarts in this file, written before an answer leaves. In memory when left out. */
  readonly file?: string;
  /** Origins of pages that may use `/_people/`, besides the server's own. None when left out; never `*`. */
  readonly origins?: readonly string[];
  /** Random bytes for tokens, ids and charge ids; node:crypto's when left out. */
  readonly random?: (bytes: number) => Uint8Array;
}

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls `run` after `delayMs`; what is returned cancels it. */
  after(delayMs: number, run: () => void): () => void;
}

/** Messages that a bot may send before it is told 429. Telegram publishes no exact figures; these are those of its FAQ. */
export interface FloodLimits {
  /** One a second in one chat … */
  readonly perChatIntervalMs: number;
  /** … of which so many may come at once. */
  readonly perChatBurst: number;
  readonly perGroupPerMinute: number;
  readonly perBotPerSecond: number;
  /** Drafts of one private chat: not counted as messages, and refilled faster. */
  readonly draftIntervalMs: number;
  readonly draftBurst: number;
}

export type ChatId = number;

/** Everybody's side: who exists, what each chat shows, and what bots have asked of the API. */
export interface Telegram {
  /** Ed25519 public key of {@link LocalBotApiOptions.initDataKey}, 32 bytes, hex: verifies the `signature` of init data. */
  readonly initDataPublicKey: string;
  createBot(options?: BotOptions): Promise<BotAccount>;
  createPerson(options?: PersonOptions): Promise<Person>;
  createGroup(options?: GroupOptions): Promise<Group>;
  readonly bots: readonly BotAccount[];
  readonly persons: readonly Person[];
  /** A chat as its members see it. A private chat has its person's id; name the bot where there are several. */
  chat(id: ChatId, bot?: BotAccount): ChatView;
  /** Every call of every bot, oldest first: the newest {@link RecordedCall}s, at most 10,000. */
  readonly calls: readonly RecordedCall[];
  /** Hears every event from now on, in order; what is returned stops it. */
  on(listener: (event: TelegramEvent) => void): () => void;
  /**
   * Resolves with the first true value that `predicate` returns, asked at once and after every event.
   * Rejects with the signal's reason, or after `timeoutMs` (10,000) with an error that shows what the chats hold.
   */
  until<T>(predicate: (telegram: Telegram) => T, options?: Patience): Promise<Truthy<T>>;
  snapshot(): TelegramSnapshot;
  /** The next matching calls fail as programmed; faults are used up in the order they were added. */
  fail(fault: Fault): void;
  /** Forgets faults that were not used. */
  clearFaults(): void;
  /** Delivers an update that was delivered before once more, as Telegram may: same `update_id`, same content. */
  redeliver(updateId: number): void;
}

/** What is left of a type when everything false is taken away. */
export type Truthy<T> = Exclude<T, false | undefined | null | 0 | "">;

export interface Patience {
  readonly signal?: AbortSignal;
  /** @default 10_000 */
  readonly timeoutMs?: number;
}

export interface BotOptions {
  /** Ends in `bot`, as BotFather insists. */
  readonly username?: string;
  readonly name?: string;
  /** `<id>:<35 characters>`; made when left out. */
  readonly token?: string;
  /** Topics in private chats, a switch at BotFather's. @default false */
  readonly topics?: boolean;
  /** True when the bot hears everything in groups. @default false: privacy mode is on */
  readonly readsAllGroupMessages?: boolean;
  readonly inline?: boolean;
}

export interface BotAccount {
  readonly id: number;
  readonly token: string;
  readonly username: string;
  readonly user: UserFromGetMe;
  /** Updates that this bot has not confirmed yet, oldest first. */
  readonly pending: readonly Update[];
  /** What somebody with this language sees when they open the command menu of a private chat. */
  commands(languageCode?: string, scope?: BotCommandScope): readonly BotCommand[];
  /** The menu button in a private chat. */
  menuButton(person: Person): MenuButton;
  description(languageCode?: string): string;
}

export interface PersonOptions {
  readonly firstName?: string;
  readonly lastName?: string;
  readonly username?: string;
  /** IETF tag of the person's app. @default "en" */
  readonly languageCode?: string;
  /** Stars in the purse. @default 1_000_000 */
  readonly stars?: number;
}

export interface Person {
  readonly id: number;
  readonly user: User;
  /** Stars left to spend. */
  readonly stars: number;
  /** The private chat with a bot; nothing is sent by opening it. */
  privateChat(bot: BotAccount): Seat;
  /** The seat in a group; throws when the person is no member. */
  in(group: Group): Seat;
  /** What t.me/bot?start=… does: opens the chat and sends `/start parameter`. */
  start(bot: BotAccount, parameter?: string): Promise<Seat>;
  /** The bot gets `my_chat_member`, and 403 for whatever it sends from now on. */
  block(bot: BotAccount): Promise<void>;
  unblock(bot: BotAccount): Promise<void>;
  /** Asks in the language of this person from now on. */
  setLanguage(languageCode: string): Promise<void>;
  /** Pays a `createInvoiceLink` link, as a Mini App's `openInvoice` does. */
  payLink(link: string): Promise<PaymentOutcome>;
}

export interface GroupOptions {
  readonly title?: string;
  /** A supergroup with topics. @default false */
  readonly forum?: boolean;
  readonly members?: readonly (Person | BotAccount)[];
}

export interface Group {
  readonly id: ChatId;
  readonly chat: ChatView;
  add(member: Person | BotAccount): Promise<void>;
  remove(member: Person | BotAccount): Promise<void>;
  /** Makes a member administrator, or an ordinary member again. A bot that is one reads everything. */
  setAdministrator(member: Person | BotAccount, isAdministrator: boolean): Promise<void>;
}

/** A person in one chat: what they can do there, and what they see. */
export interface Seat {
  readonly person: Person;
  readonly chat: ChatView;
  /** Sends text; commands, mentions, links and the like become entities as Telegram computes them. */
  send(text: string, options?: SendOptions): Promise<Message>;
  sendPhoto(photo: Uint8Array, options?: MediaOptions): Promise<Message>;
  sendVoice(voice: Uint8Array, options?: MediaOptions & { readonly durationS?: number }): Promise<Message>;
  sendDocument(
    document: Uint8Array,
    options?: MediaOptions & { readonly mimeType?: string },
  ): Promise<Message>;
  edit(messageId: number, text: string): Promise<Message>;
  react(messageId: number, reactions: readonly ReactionType[]): Promise<void>;
  createTopic(name: string): Promise<number>;
  /**
   * Presses a button of a message by its label or place (row, column from 0). A callback button resolves when the
   * bot answers the query; it rejects with {@link CallbackExpired} after 15 s, as the app's spinner gives up.
   */
  press(
    messageId: number,
    button: string | readonly [row: number, column: number],
    options?: Patience,
  ): Promise<Pressed>;
  /** Presses Stop on a draft: the newest when no id is given. Throws when no draft shows the button. */
  stop(draftId?: number): Promise<void>;
  /** Opens the Mini App: from the menu button, or from a web_app button of a message. */
  openMiniApp(options?: MiniAppOptions): Promise<MiniAppLaunch>;
  /** Pays the invoice in a message: pre-checkout, then the payment; what the bot refuses is told in the outcome. */
  pay(messageId: number, options?: Patience): Promise<PaymentOutcome>;
  /** Types `@bot query` and waits for what the bot offers. */
  inlineQuery(bot: BotAccount, query: string, options?: Patience): Promise<readonly unknown[]>;
}

export interface SendOptions {
  /** Topic, in a forum or in a private chat with topics. */
  readonly threadId?: number;
  readonly replyTo?: number;
  /** Formatting of the person's own, beside what Telegram finds in the text. */
  readonly entities?: readonly MessageEntity[];
}

export interface MediaOptions extends SendOptions {
  readonly caption?: string;
  readonly fileName?: string;
}

/** What pressing a button did. */
export type Pressed =
  | { readonly kind: "answered"; readonly text: string; readonly showAlert: boolean; readonly url?: string }
  | { readonly kind: "url"; readonly url: string }
  | { readonly kind: "mini_app"; readonly launch: MiniAppLaunch }
  | { readonly kind: "copied"; readonly text: string }
  | { readonly kind: "invoice"; readonly messageId: number };

export interface MiniAppOptions {
  /** A web_app button of a message; the chat's menu button when left out. */
  readonly button?: { readonly messageId: number; readonly label: string };
  readonly startParam?: string;
  /** @default "10.0" */
  readonly version?: string;
  /** @default "ios" */
  readonly platform?: string;
  /** Theme parameters by name, `#rrggbb`; Telegram's light theme when left out. */
  readonly theme?: Readonly<Record<string, string>>;
}

export interface MiniAppLaunch {
  /** The page with `#tgWebAppData=…&tgWebAppVersion=…&tgWebAppPlatform=…&tgWebAppThemeParams=…`. */
  readonly url: string;
  /** What the page finds in `tgWebAppData`: `hash` under the bot's token, `signature` under the init data key. */
  readonly initData: string;
}

export type PaymentOutcome =
  | { readonly status: "paid"; readonly chargeId: string }
  | { readonly status: "failed"; readonly reason: string };

/** One chat as its members see it. Readings are live: ask again after an event. */
export interface ChatView {
  readonly id: ChatId;
  /** Tells private chats of several bots apart: `private:<bot id>:<person id>` or `group:<chat id>`. */
  readonly key: string;
  readonly type: "private" | "group" | "supergroup";
  readonly title: string;
  /** What is displayed, oldest first; deleted messages are gone. */
  readonly messages: readonly Message[];
  /** Drafts that are on the screen now. */
  readonly drafts: readonly DraftView[];
  readonly topics: readonly TopicView[];
  /** What the bot is doing ("typing"…), until a message comes or 5 s have passed. */
  readonly action: string | undefined;
  /** What stands in the place of the keyboard. */
  readonly keyboard: ReplyKeyboardView | undefined;
  /** The newest message that a bot sent. */
  readonly lastFromBot: Message | undefined;
  /** As {@link Telegram.until}, asked about this chat. */
  until<T>(predicate: (chat: ChatView) => T, options?: Patience): Promise<Truthy<T>>;
  snapshot(): ChatSnapshot;
}

export interface DraftView {
  readonly draftId: number;
  readonly threadId?: number;
  /** Empty while it shows "Thinking…". */
  readonly text: string;
  readonly entities?: readonly MessageEntity[];
  /** In place of text, for a rich draft. */
  readonly richMessage?: RichMessage;
  /** The placeholder is shown: the draft has no text. */
  readonly isThinking: boolean;
  readonly canStop: boolean;
  readonly keepOnStop: boolean;
  readonly isStopped: boolean;
  readonly startedAt: number;
  readonly updatedAt: number;
  /** Gone at this instant unless it is sent again: 30 s after the last update. */
  readonly expiresAt: number;
}

export interface TopicView {
  readonly threadId: number;
  readonly name: string;
  readonly isClosed: boolean;
}

/** Buttons in the place of a person's own keyboard, until the bot takes them away. */
export interface ReplyKeyboardView {
  /** The message that brought them. */
  readonly messageId: number;
  readonly rows: readonly (readonly ReplyKeyButton[])[];
  /** Gone from the screen once a button was pressed. */
  readonly isOneTime: boolean;
  /** In the empty input. */
  readonly placeholder?: string;
}

export interface ReplyKeyButton {
  readonly text: string;
  /** What it does: writes its text, opens a page, or something that this Telegram does not do. */
  readonly does: "text" | "mini_app" | "other";
}

export interface ChatSnapshot {
  readonly id: ChatId;
  readonly key: string;
  readonly type: ChatView["type"];
  readonly title: string;
  /** Null in groups. */
  readonly botId: number | null;
  readonly memberIds: readonly number[];
  readonly messages: readonly Message[];
  readonly drafts: readonly DraftView[];
  readonly topics: readonly TopicView[];
  readonly action: string | null;
  readonly keyboard: ReplyKeyboardView | null;
}

/** Everything on the screens, as JSON: what the playground page draws at first, before it follows the events. */
export interface TelegramSnapshot {
  /** The newest event that this snapshot includes; the stream goes on after it. */
  readonly eventId: number;
  readonly bots: readonly BotSnapshot[];
  readonly persons: readonly (User & { readonly stars: number; readonly blockedBotIds: readonly number[] })[];
  readonly chats: readonly ChatSnapshot[];
}

export interface BotSnapshot {
  readonly user: UserFromGetMe;
  /** By language code; "" is for all others. */
  readonly descriptions: Readonly<Record<string, string>>;
  readonly shortDescriptions: Readonly<Record<string, string>>;
  /** By `<scope>|<language code>`: scope `default`, `all_private_chats`, `all_group_chats`, `chat:<id>` …; code "" is for all others. */
  readonly commands: Readonly<Record<string, readonly BotCommand[]>>;
  /** By chat id of a private chat; `default` for all others. */
  readonly menuButtons: Readonly<Record<string, MenuButton>>;
}
