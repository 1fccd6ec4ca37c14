import type { KeyObject } from "node:crypto";
import type { InlineKeyboardButton, Message, ReactionType } from "@grammyjs/types";
import type {
  BotAccount,
  MediaOptions,
  MiniAppLaunch,
  MiniAppOptions,
  Patience,
  PaymentOutcome,
  Person,
  Pressed,
  Seat,
  SendOptions,
} from "../interface.ts";
import { chatObject } from "../world/chats.ts";
import { draftsOf, stopDraft } from "../world/drafts.ts";
import type { FileToStore } from "../world/files.ts";
import type { BotState, ChatState, PersonState } from "../world/state.ts";
import { createTopic } from "../world/topics.ts";
import { queueUpdate } from "../world/updates.ts";
import { newDigits, type World } from "../world/world.ts";
import { type ButtonPlace, findButton, pressCallback } from "./buttons.ts";
import { LiveChatView } from "./chat-view.ts";
import { LIGHT_THEME, launchUrl, signInitData } from "./launch.ts";
import { owedAnswer } from "./owed-answer.ts";
import { payInvoice } from "./paying.ts";
import { editOwn, PeopleError, react, say, sendFile, shown } from "./speaking.ts";

const APP_VERSION = "10.0";
/** How long an app shows that a bot is being asked. */
const INLINE_QUERY_MS = 10_000;

export interface SeatDependencies {
  readonly world: World;
  readonly initDataKey: KeyObject;
}

/** One person in one chat. */
export class LiveSeat implements Seat {
  readonly person: Person;
  readonly chat: LiveChatView;
  readonly #world: World;
  readonly #key: KeyObject;
  readonly #who: PersonState;
  readonly #where: ChatState;

  constructor({ world, initDataKey }: SeatDependencies, person: Person, who: PersonState, where: ChatState) {
    this.person = person;
    this.chat = new LiveChatView(world, where);
    this.#world = world;
    this.#key = initDataKey;
    this.#who = who;
    this.#where = where;
  }

  async send(text: string, options: SendOptions = {}): Promise<Message> {
    return this.#kept(say(this.#world, this.#where, this.#who, text, options));
  }

  async sendPhoto(bytes: Uint8Array, options: MediaOptions = {}): Promise<Message> {
    return this.#sendFile(
      { kind: "photo", bytes, name: options.fileName ?? "photo.jpg", mimeType: "image/jpeg" },
      options,
    );
  }

  async sendVoice(
    bytes: Uint8Array,
    options: MediaOptions & { readonly durationS?: number } = {},
  ): Promise<Message> {
    const { durationS = 1 } = options;
    return this.#sendFile(
      { kind: "voice", bytes, name: options.fileName ?? "voice.oga", mimeType: "audio/ogg", durationS },
      options,
    );
  }

  async sendDocument(
    bytes: Uint8Array,
    options: MediaOptions & { readonly mimeType?: string } = {},
  ): Promise<Message> {
    const { mimeType = "application/octet-stream" } = options;
    return this.#sendFile(
      { kind: "document", bytes, name: options.fileName ?? "file.bin", mimeType },
      options,
    );
  }

  async edit(messageId: number, text: string): Promise<Message> {
    return this.#kept(editOwn(this.#world, this.#where, this.#who, messageId, text));
  }

  async react(messageId: number, reactions: readonly ReactionType[]): Promise<void> {
    shown(this.#where, messageId);
    await this.#kept(react(this.#world, this.#where, this.#who.user, messageId, reactions));
  }

  async createTopic(name: string): Promise<number> {
    const isForum =
      this.#where.type === "private" ? this.#bot().user.allows_users_to_create_topics : this.#where.isForum;
    if (!isForum)
      throw new PeopleError(`chat ${this.#where.key} has no topics; create its bot or group with them`);
    const { threadId } = createTopic(this.#world, this.#where, this.#who.user, { name });
    return this.#kept(threadId);
  }

  async press(messageId: number, place: ButtonPlace, patience: Patience = {}): Promise<Pressed> {
    const message = shown(this.#where, messageId);
    const button = findButton(message, place);
    if ("url" in button && button.url) return { kind: "url", url: button.url };
    if ("copy_text" in button) return { kind: "copied", text: button.copy_text.text };
    if ("pay" in button) return { kind: "invoice", messageId };
    if ("web_app" in button)
      return { kind: "mini_app", launch: this.#launch(message, button.web_app.url, {}) };
    if (!("callback_data" in button))
      throw new PeopleError(`button "${button.text}" does nothing in this Telegram`);
    const bot = this.#author(message);
    return pressCallback(
      this.#world,
      { chat: this.#where, person: this.#who, bot, message, label: button.text, data: button.callback_data },
      patience,
    );
  }

  async stop(draftId?: number): Promise<void> {
    const stoppable = draftsOf(this.#world, this.#where).filter((draft) => draft.canStop && !draft.isStopped);
    const draft = draftId === undefined ? stoppable.at(-1) : stoppable.find((one) => one.draftId === draftId);
    if (!draft) throw new PeopleError("no draft shows a Stop button; the bot must send it with can_stop");
    stopDraft(this.#world, this.#where, draft.draftId);
    queueUpdate(this.#world, this.#bot(), {
      stopped_message_generation: {
        chat: chatObject(this.#world, this.#where) as never,
        ...(draft.threadId !== undefined && { message_thread_id: draft.threadId }),
        draft_id: draft.draftId,
      },
    });
    await this.#world.kept();
  }

  async openMiniApp(options: MiniAppOptions = {}): Promise<MiniAppLaunch> {
    if (options.button) {
      const message = shown(this.#where, options.button.messageId);
      const { keyboard } = this.#where;
      const page = keyboard?.view.messageId === message.message_id && keyboard.pages[options.button.label];
      if (page) return this.#launch(message, page, options);
      const button: InlineKeyboardButton = findButton(message, options.button.label);
      if (!("web_app" in button)) throw new PeopleError(`button "${button.text}" opens no Mini App`);
      return this.#launch(message, button.web_app.url, options);
    }
    const bot = this.#bot();
    const menu = bot.menuButtons[this.#where.id] ?? bot.menuButtons.default;
    if (menu?.type !== "web_app")
      throw new PeopleError("the menu button opens no Mini App; the bot must setChatMenuButton first");
    return this.#launch(undefined, menu.web_app.url, options);
  }

  async pay(messageId: number, patience: Patience = {}): Promise<PaymentOutcome> {
    shown(this.#where, messageId);
    const invoice = this.#world.state.invoiceLinks[`${this.#where.key}/${messageId}`];
    if (!invoice) throw new PeopleError(`message ${messageId} is no invoice`);
    const outcome = await payInvoice(this.#world, this.#who, invoice, patience);
    return this.#kept(outcome);
  }

  async inlineQuery(
    account: BotAccount,
    query: string,
    patience: Patience = {},
  ): Promise<readonly unknown[]> {
    const bot = this.#world.state.bots[account.id];
    if (!bot?.user.supports_inline_queries) throw new PeopleError(`${account.username} has no inline mode`);
    const late = () => {
      throw new PeopleError(`no answerInlineQuery for "${query}" within ${INLINE_QUERY_MS / 1_000} s`);
    };
    const waiting = { clock: this.#world.clock, lifeMs: INLINE_QUERY_MS, patience, late };
    return owedAnswer<readonly unknown[]>(waiting, (answer) => {
      const { inlineQueries } = this.#world.passing;
      const id = newDigits(this.#world);
      inlineQueries.set(id, answer);
      const chatType = this.#where.type === "private" ? "sender" : "supergroup";
      queueUpdate(this.#world, bot, {
        inline_query: { id, from: this.#who.user, query, offset: "", chat_type: chatType },
      });
      return () => inlineQueries.delete(id);
    });
  }

  #launch(message: Message | undefined, page: string, options: MiniAppOptions): MiniAppLaunch {
    const bot = message === undefined ? this.#bot() : this.#author(message);
    const initData = signInitData(
      {
        botId: bot.user.id,
        botToken: bot.token,
        user: this.#who.user,
        at: this.#world.clock.now(),
        queryId: `AAH${newDigits(this.#world, 16)}`,
        ...(options.startParam !== undefined && { startParam: options.startParam }),
      },
      this.#key,
    );
    const { version = APP_VERSION, platform = "ios", theme = LIGHT_THEME } = options;
    return { url: launchUrl(page, { initData, version, platform, theme }), initData };
  }

  #bot(): BotState {
    const bot = this.#world.state.bots[this.#where.botId ?? 0];
    if (!bot) throw new PeopleError("only in a private chat with a bot");
    return bot;
  }

  #author(message: Message): BotState {
    const bot = this.#world.state.bots[message.from?.id ?? 0];
    if (!bot) throw new PeopleError(`message ${message.message_id} is no bot's`);
    return bot;
  }

  async #sendFile(file: FileToStore, options: MediaOptions): Promise<Message> {
    return this.#kept(await sendFile(this.#world, this.#where, this.#who, file, options));
  }

  async #kept<T>(value: T): Promise<T> {
    await this.#world.kept();
    return value;
  }
}
