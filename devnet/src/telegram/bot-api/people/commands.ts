import { z } from "zod";
import type { BotAccount, Group, Person, Seat, Telegram } from "../interface.ts";
import { PeopleError } from "./speaking.ts";

const id = z.number().int();
const text = z.string().max(100_000);
/** Files come as base64; Telegram takes 20 MB from people's apps here. */
const base64 = z.base64().max(28_000_000);
const reaction = z.union([
  z.strictObject({ type: z.literal("emoji"), emoji: z.string() }),
  z.strictObject({ type: z.literal("custom_emoji"), custom_emoji_id: z.string() }),
]);

/** Where somebody is: `chat` is the id of a group; without it, the private chat with `bot`. */
const seat = { person: id, bot: id.optional(), chat: id.optional() };
const sending = { threadId: id.optional(), replyTo: id.optional() };
const media = {
  ...seat,
  ...sending,
  bytes: base64,
  caption: text.optional(),
  fileName: z.string().max(255).optional(),
};

/** What a page may ask the people to do: one JSON object, told by `do`. */
export const peopleCommand = z.discriminatedUnion("do", [
  z.strictObject({
    do: z.literal("create_person"),
    firstName: z.string().min(1).max(64).optional(),
    lastName: z.string().max(64).optional(),
    username: z.string().max(32).optional(),
    languageCode: z.string().max(35).optional(),
  }),
  z.strictObject({
    do: z.literal("create_group"),
    title: z.string().min(1).max(128).optional(),
    forum: z.boolean().optional(),
    members: z.array(id).max(100).optional(),
  }),
  z.strictObject({ do: z.literal("set_language"), person: id, languageCode: z.string().min(2).max(35) }),
  z.strictObject({ do: z.literal("open_chat"), person: id, bot: id }),
  z.strictObject({ do: z.literal("start"), person: id, bot: id, parameter: z.string().max(64).optional() }),
  z.strictObject({ do: z.literal("send"), ...seat, ...sending, text }),
  z.strictObject({ do: z.literal("send_photo"), ...media }),
  z.strictObject({ do: z.literal("send_voice"), ...media, durationS: z.number().min(0).optional() }),
  z.strictObject({ do: z.literal("send_document"), ...media, mimeType: z.string().max(127).optional() }),
  z.strictObject({ do: z.literal("edit"), ...seat, messageId: id, text }),
  z.strictObject({ do: z.literal("react"), ...seat, messageId: id, reactions: z.array(reaction).max(3) }),
  z.strictObject({ do: z.literal("create_topic"), ...seat, name: z.string().min(1).max(128) }),
  z.strictObject({
    do: z.literal("press"),
    ...seat,
    messageId: id,
    button: z.union([z.string(), z.tuple([z.number().int().min(0), z.number().int().min(0)])]),
  }),
  z.strictObject({ do: z.literal("stop"), ...seat, draftId: id.optional() }),
  z.strictObject({
    do: z.literal("open_mini_app"),
    ...seat,
    button: z.strictObject({ messageId: id, label: z.string() }).optional(),
    startParam: z.string().max(512).optional(),
    version: z.string().max(16).optional(),
    platform: z.string().max(32).optional(),
    theme: z.record(z.string(), z.string()).optional(),
  }),
  z.strictObject({ do: z.literal("pay"), ...seat, messageId: id }),
  z.strictObject({ do: z.literal("pay_link"), person: id, link: z.string().max(512) }),
  z.strictObject({ do: z.literal("block"), person: id, bot: id }),
  z.strictObject({ do: z.literal("unblock"), person: id, bot: id }),
]);

export type PeopleCommand = z.infer<typeof peopleCommand>;

/**
 * Does what a page asks, with what comes of it as JSON.
 * @throws PeopleError when the people cannot do that
 */
export async function runCommand(telegram: Telegram, command: PeopleCommand): Promise<unknown> {
  switch (command.do) {
    case "create_person": {
      const { do: _, ...options } = command;
      const { user } = await telegram.createPerson(defined(options));
      return user;
    }
    case "create_group": {
      const { do: _, members = [], ...options } = command;
      const all = [...telegram.persons, ...telegram.bots];
      const group = await telegram.createGroup({
        ...defined(options),
        members: members.map((member) =>
          found(
            all.find((one) => one.id === member),
            `member ${member}`,
          ),
        ),
      });
      return group.chat.snapshot();
    }
    case "set_language":
      return personOf(telegram, command.person).setLanguage(command.languageCode);
    case "open_chat":
      return seatOf(telegram, command).chat.snapshot();
    case "start":
      return (
        await personOf(telegram, command.person).start(botOf(telegram, command.bot), command.parameter)
      ).chat.snapshot();
    case "block":
      return personOf(telegram, command.person).block(botOf(telegram, command.bot));
    case "unblock":
      return personOf(telegram, command.person).unblock(botOf(telegram, command.bot));
    case "pay_link":
      return personOf(telegram, command.person).payLink(command.link);
    default:
      return runInSeat(seatOf(telegram, command), command);
  }
}

type SeatCommand = Extract<PeopleCommand, { chat?: number | undefined; bot?: number | undefined }>;

async function runInSeat(
  seat: Seat,
  command: Exclude<SeatCommand, { do: "open_chat" | "start" | "block" | "unblock" }>,
): Promise<unknown> {
  switch (command.do) {
    case "send":
      return seat.send(command.text, defined(command));
    case "send_photo":
      return seat.sendPhoto(Buffer.from(command.bytes, "base64"), defined(command));
    case "send_voice":
      return seat.sendVoice(Buffer.from(command.bytes, "base64"), defined(command));
    case "send_document":
      return seat.sendDocument(Buffer.from(command.bytes, "base64"), defined(command));
    case "edit":
      return seat.edit(command.messageId, command.text);
    case "react":
      return seat.react(command.messageId, command.reactions as never);
    case "create_topic":
      return { threadId: await seat.createTopic(command.name) };
    case "press":
      return seat.press(command.messageId, command.button);
    case "stop":
      return seat.stop(command.draftId);
    case "open_mini_app":
      return seat.openMiniApp(defined(command));
    case "pay":
      return seat.pay(command.messageId);
  }
}

function seatOf(
  telegram: Telegram,
  { person, bot, chat }: { person: number; bot?: number | undefined; chat?: number | undefined },
): Seat {
  const who = personOf(telegram, person);
  if (chat !== undefined && chat < 0) return who.in({ id: chat } as Group);
  if (bot === undefined)
    throw new PeopleError("bot: name the bot of the private chat, or the chat of a group");
  return who.privateChat(botOf(telegram, bot));
}

const personOf = (telegram: Telegram, id: number): Person =>
  found(
    telegram.persons.find((person) => person.id === id),
    `person ${id}`,
  );
const botOf = (telegram: Telegram, id: number): BotAccount =>
  found(
    telegram.bots.find((bot) => bot.id === id),
    `bot ${id}`,
  );

function found<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new PeopleError(`${what} does not exist in this Telegram`);
  return value;
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };
/** Without what was left out, so that defaults apply. */
function defined<T extends object>(options: T): Defined<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Defined<T>;
}
