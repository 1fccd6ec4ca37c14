import { createPublicKey, type KeyObject } from "node:crypto";
import type { BotCommand, BotCommandScope, MenuButton } from "@grammyjs/types";
import type {
  BotAccount,
  BotOptions,
  ChatView,
  Fault,
  Group,
  GroupOptions,
  Patience,
  PaymentOutcome,
  Person,
  PersonOptions,
  Seat,
  Telegram,
  TelegramEvent,
  TelegramSnapshot,
  Truthy,
} from "../interface.ts";
import {
  announcePerson,
  botSnapshot,
  createBot,
  createPerson,
  personSnapshot,
  setBlocked,
} from "../world/accounts.ts";
import { commandsFor, scopeKey } from "../world/bot-texts.ts";
import { chatSnapshot, groupKey, privateChat, privateChatKey } from "../world/chats.ts";
import { createGroup, setAdministrator, setMember } from "../world/groups.ts";
import type { BotState, ChatState, PersonState } from "../world/state.ts";
import type { World } from "../world/world.ts";
import { LiveChatView } from "./chat-view.ts";
import { payInvoice } from "./paying.ts";
import { LiveSeat } from "./seat.ts";
import { PeopleError } from "./speaking.ts";

/** The people's side of a world. */
export class LiveTelegram implements Telegram {
  readonly initDataPublicKey: string;
  readonly #world: World;
  readonly #key: KeyObject;
  readonly #accounts = new Map<number, BotAccount>();
  readonly #people = new Map<number, Person>();

  constructor(world: World, initDataKey: KeyObject) {
    this.#world = world;
    this.#key = initDataKey;
    const { x = "" } = createPublicKey(initDataKey as never).export({ format: "jwk" });
    this.initDataPublicKey = Buffer.from(x, "base64url").toString("hex");
  }

  async createBot(options?: BotOptions): Promise<BotAccount> {
    const bot = createBot(this.#world, options);
    await this.#world.kept();
    return this.#account(bot);
  }

  async createPerson(options?: PersonOptions): Promise<Person> {
    const person = createPerson(this.#world, options);
    await this.#world.kept();
    return this.#person(person);
  }

  async createGroup(options: GroupOptions = {}): Promise<Group> {
    const chat = createGroup(
      this.#world,
      options,
      (options.members ?? []).map(({ id }) => id),
    );
    await this.#world.kept();
    return this.#group(chat);
  }

  get bots(): readonly BotAccount[] {
    return Object.values(this.#world.state.bots).map((bot) => this.#account(bot));
  }

  get persons(): readonly Person[] {
    return Object.values(this.#world.state.persons).map((person) => this.#person(person));
  }

  chat(id: number, bot?: BotAccount): ChatView {
    const { chats } = this.#world.state;
    const found =
      id < 0
        ? chats[groupKey(id)]
        : bot
          ? chats[privateChatKey(bot.id, id)]
          : Object.values(chats).find((chat) => chat.id === id);
    if (!found) throw new PeopleError(`no chat ${id}; there are ${Object.keys(chats).join(", ") || "none"}`);
    return new LiveChatView(this.#world, found);
  }

  get calls() {
    return [...this.#world.passing.calls];
  }

  on(listener: (event: TelegramEvent) => void): () => void {
    return this.#world.events.on(listener);
  }

  until<T>(predicate: (telegram: Telegram) => T, patience: Patience = {}): Promise<Truthy<T>> {
    return this.#world.events.until(
      () => predicate(this),
      patience,
      () =>
        `Newest calls: ${
          this.calls
            .slice(-5)
            .map(({ method }) => method)
            .join(", ") || "none"
        }`,
    );
  }

  snapshot(): TelegramSnapshot {
    const { bots, persons, chats } = this.#world.state;
    return structuredClone({
      eventId: this.#world.events.lastId,
      bots: Object.values(bots).map(botSnapshot),
      persons: Object.values(persons).map(personSnapshot),
      chats: Object.values(chats).map((chat) => chatSnapshot(this.#world, chat)),
    });
  }

  fail(fault: Fault): void {
    this.#world.passing.faults.push({ fault, left: fault.times ?? 1 });
  }

  clearFaults(): void {
    this.#world.passing.faults.length = 0;
  }

  redeliver(updateId: number): void {
    const { delivered, replays, wake } = this.#world.passing;
    const found = delivered.get(updateId);
    if (!found) throw new PeopleError(`update ${updateId} was not delivered, or is forgotten`);
    replays.set(found.botId, [...(replays.get(found.botId) ?? []), found.update]);
    wake.get(found.botId)?.();
  }

  #account(bot: BotState): BotAccount {
    const existing = this.#accounts.get(bot.user.id);
    if (existing) return existing;
    const account: BotAccount = {
      id: bot.user.id,
      token: bot.token,
      username: bot.user.username,
      get user() {
        return bot.user;
      },
      get pending() {
        return [...bot.pending];
      },
      commands: (
        languageCode = "",
        scope: BotCommandScope = { type: "all_private_chats" },
      ): readonly BotCommand[] => commandsFor(bot, scopeKey(scope), languageCode),
      menuButton: (person): MenuButton =>
        bot.menuButtons[person.id] ?? bot.menuButtons.default ?? { type: "default" },
      description: (languageCode = "") => bot.descriptions[languageCode] ?? bot.descriptions[""] ?? "",
    };
    this.#accounts.set(bot.user.id, account);
    return account;
  }

  #person(state: PersonState): Person {
    const existing = this.#people.get(state.user.id);
    if (existing) return existing;
    const world = this.#world;
    const seat = (chat: ChatState): Seat =>
      new LiveSeat({ world, initDataKey: this.#key }, person, state, chat);
    const privateSeat = (bot: BotAccount) => seat(privateChat(world, this.#botState(bot), state));
    const block = async (bot: BotAccount, isBlocked: boolean) => {
      const botState = this.#botState(bot);
      setBlocked(world, state, botState, privateChat(world, botState, state), isBlocked);
      await world.kept();
    };
    const person: Person = {
      id: state.user.id,
      get user() {
        return state.user;
      },
      get stars() {
        return state.stars;
      },
      privateChat: privateSeat,
      in: (group) => {
        const chat = world.state.chats[groupKey(group.id)];
        if (!chat?.memberIds.includes(state.user.id)) {
          throw new PeopleError(`${state.user.first_name} is no member of group ${group.id}`);
        }
        return seat(chat);
      },
      start: async (bot, parameter) => {
        const opened = privateSeat(bot);
        await opened.send(parameter === undefined ? "/start" : `/start ${parameter}`);
        return opened;
      },
      block: (bot) => block(bot, true),
      unblock: (bot) => block(bot, false),
      setLanguage: async (languageCode) => {
        state.user = { ...state.user, language_code: languageCode };
        announcePerson(world, state);
        await world.kept();
      },
      payLink: async (link): Promise<PaymentOutcome> => {
        const slug = link.split("/").at(-1) ?? "";
        const { invoiceLinks } = world.state;
        const invoice = Object.hasOwn(invoiceLinks, slug) ? invoiceLinks[slug] : undefined;
        if (!invoice) throw new PeopleError(`${link} is no invoice link of this Telegram`);
        const outcome = await payInvoice(world, state, invoice);
        await world.kept();
        return outcome;
      },
    };
    this.#people.set(state.user.id, person);
    return person;
  }

  #group(chat: ChatState): Group {
    const world = this.#world;
    const change = async (run: () => void) => {
      run();
      await world.kept();
    };
    return {
      id: chat.id,
      chat: new LiveChatView(world, chat),
      add: ({ id }) => change(() => setMember(world, chat, id, "join")),
      remove: ({ id }) => change(() => setMember(world, chat, id, "kick")),
      setAdministrator: ({ id }, isAdministrator) =>
        change(() => setAdministrator(world, chat, id, isAdministrator)),
    };
  }

  #botState({ id }: BotAccount): BotState {
    const bot = this.#world.state.bots[id];
    if (!bot) throw new PeopleError(`no bot ${id} in this Telegram`);
    return bot;
  }
}
