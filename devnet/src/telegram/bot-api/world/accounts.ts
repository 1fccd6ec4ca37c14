import type { User, UserFromGetMe } from "@grammyjs/types";
import type { BotOptions, BotSnapshot, PersonOptions, TelegramSnapshot } from "../interface.ts";
import { chatObject } from "./chats.ts";
import type { BotState, ChatState, PersonState } from "./state.ts";
import { queueUpdate } from "./updates.ts";
import { emit, newToken, unixTime, type World } from "./world.ts";

const DEFAULT_STARS = 1_000_000;
const FIRST_NAMES = ["Ada", "Boris", "Clara", "Dmitri", "Emma", "Fyodor", "Grace", "Ivan"];

/** Makes a bot, as BotFather does. @throws RangeError for a username or token that BotFather would not give. */
export function createBot(world: World, options: BotOptions = {}): BotState {
  const count = Object.keys(world.state.bots).length + 1;
  const username = options.username ?? `local${count}_bot`;
  if (!/^[A-Za-z][A-Za-z0-9_]{1,28}bot$/i.test(username)) {
    throw new RangeError(`username: "${username}" must be 5 to 32 letters, digits or _, and end in "bot"`);
  }
  if (
    Object.values(world.state.bots).some(({ user }) => user.username.toLowerCase() === username.toLowerCase())
  ) {
    throw new RangeError(`username: "${username}" is taken; choose another one`);
  }
  const id = options.token === undefined ? world.state.nextUserId++ : Number(options.token.split(":")[0]);
  const token = options.token ?? `${id}:AA${newToken(world, 32).slice(0, 33)}`;
  if (!/^\d{5,16}:[\w-]{35}$/.test(token)) {
    throw new RangeError(
      "token: must be <digits>:<35 letters, digits, - or _>; leave it out to have one made",
    );
  }
  const bot: BotState = {
    user: {
      id,
      is_bot: true,
      first_name: options.name ?? username,
      username,
      can_join_groups: true,
      can_read_all_group_messages: options.readsAllGroupMessages ?? false,
      supports_guest_queries: false,
      supports_inline_queries: options.inline ?? false,
      can_connect_to_business: false,
      has_main_web_app: false,
      has_topics_enabled: options.topics ?? false,
      allows_users_to_create_topics: options.topics ?? false,
      can_manage_bots: false,
      supports_join_request_queries: false,
    } satisfies UserFromGetMe,
    token,
    allowedUpdates: null,
    // Telegram starts anywhere; not at 1, so that nobody relies on it.
    nextUpdateId: 100_000_000 + (Buffer.from(world.random(3)).readUIntBE(0, 3) % 1_000_000),
    pending: [],
    webhook: null,
    commands: {},
    names: {},
    descriptions: {},
    shortDescriptions: {},
    menuButtons: {},
    stars: 0,
    transactions: [],
  };
  world.state.bots[id] = bot;
  announceBot(world, bot);
  return bot;
}

export function createPerson(world: World, options: PersonOptions = {}): PersonState {
  const count = Object.keys(world.state.persons).length;
  const user: User = {
    id: world.state.nextUserId++,
    is_bot: false,
    first_name: options.firstName ?? FIRST_NAMES[count % FIRST_NAMES.length] ?? "Ada",
    ...(options.lastName !== undefined && { last_name: options.lastName }),
    ...(options.username !== undefined && { username: options.username }),
    language_code: options.languageCode ?? "en",
  };
  const person: PersonState = { user, stars: options.stars ?? DEFAULT_STARS, blockedBotIds: [] };
  world.state.persons[user.id] = person;
  announcePerson(world, person);
  return person;
}

/** Blocks or unblocks a bot; the bot hears of it as its own membership in the private chat. */
export function setBlocked(
  world: World,
  person: PersonState,
  bot: BotState,
  chat: ChatState,
  isBlocked: boolean,
): void {
  if (person.blockedBotIds.includes(bot.user.id) === isBlocked) return;
  person.blockedBotIds = person.blockedBotIds.filter((id) => id !== bot.user.id);
  if (isBlocked) person.blockedBotIds.push(bot.user.id);
  announcePerson(world, person);
  reportMembership(world, {
    chat,
    bot,
    from: person.user,
    was: isBlocked ? "member" : "kicked",
    is: isBlocked ? "kicked" : "member",
  });
}

type Membership = "member" | "administrator" | "left" | "kicked";

/** Tells a bot what it has become in a chat. */
export function reportMembership(
  world: World,
  report: {
    readonly chat: ChatState;
    readonly bot: BotState;
    readonly from: User;
    readonly was: Membership;
    readonly is: Membership;
  },
): void {
  const { chat, bot, from } = report;
  const { id, is_bot, first_name, username } = bot.user;
  const member = (status: Membership) => ({ user: { id, is_bot, first_name, username }, status });
  queueUpdate(world, bot, {
    my_chat_member: {
      chat: chatObject(world, chat),
      from,
      date: unixTime(world),
      old_chat_member: member(report.was),
      new_chat_member: member(report.is),
    } as never,
  });
}

export function announceBot(world: World, bot: BotState): void {
  world.changed();
  emit(world, { type: "bot", bot: botSnapshot(bot) });
}

export function announcePerson(world: World, person: PersonState): void {
  world.changed();
  emit(world, { type: "person", person: personSnapshot(person) });
}

export function personSnapshot({
  user,
  stars,
  blockedBotIds,
}: PersonState): TelegramSnapshot["persons"][number] {
  return { ...user, stars, blockedBotIds: [...blockedBotIds] };
}

export function botSnapshot(bot: BotState): BotSnapshot {
  return {
    user: bot.user,
    descriptions: bot.descriptions,
    shortDescriptions: bot.shortDescriptions,
    commands: bot.commands,
    menuButtons: bot.menuButtons,
  };
}
