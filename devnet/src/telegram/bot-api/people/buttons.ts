import type { InlineKeyboardButton, Message } from "@grammyjs/types";
import type { Patience, Pressed } from "../interface.ts";
import { richButtons } from "../rich/rich-buttons.ts";
import type { BotState, ChatState, PersonState } from "../world/state.ts";
import { queueUpdate, wants } from "../world/updates.ts";
import { newDigits, type World } from "../world/world.ts";
import { owedAnswer } from "./owed-answer.ts";
import { PeopleError } from "./speaking.ts";

/** How long an app's spinner turns, and how long a bot may answer. */
const QUERY_LIFE_MS = 15_000;

/** The bot did not answer a pressed button in time. */
export class CallbackExpired extends Error {
  constructor(label: string) {
    super(`no answerCallbackQuery for "${label}" within ${QUERY_LIFE_MS / 1_000} s`);
    this.name = "CallbackExpired";
  }
}

export type ButtonPlace = string | readonly [row: number, column: number];

/** Buttons of a message, row by row: the keyboard under it, then those inside a rich message. */
export function buttonRows(message: Message): readonly (readonly InlineKeyboardButton[])[] {
  return [...(message.reply_markup?.inline_keyboard ?? []), ...richButtons(message)];
}

/** @throws PeopleError when the message has no such button */
export function findButton(message: Message, place: ButtonPlace): InlineKeyboardButton {
  const rows = buttonRows(message);
  const button =
    typeof place === "string" ? rows.flat().find(({ text }) => text === place) : rows[place[0]]?.[place[1]];
  if (button) return button;
  const labels = rows.map((row) => row.map(({ text }) => `"${text}"`).join(" ")).join(" / ");
  throw new PeopleError(
    `message ${message.message_id} has no button ${JSON.stringify(place)}; it has ${labels === "" ? "none" : labels}`,
  );
}

/** Sends `callback_query` and waits for its answer. */
export function pressCallback(world: World, press: CallbackPress, patience: Patience): Promise<Answered> {
  const { chat, person, bot, message, label, data } = press;
  const late = (): Answered => {
    throw new CallbackExpired(label);
  };
  if (!wants(bot, "callback_query")) {
    throw new PeopleError(`${bot.user.username} does not ask for callback_query in allowed_updates`);
  }
  return owedAnswer({ clock: world.clock, lifeMs: QUERY_LIFE_MS, patience, late }, (answer) => {
    const { callbackQueries } = world.passing;
    const id = newDigits(world);
    callbackQueries.set(id, {
      botId: bot.user.id,
      chatKey: chat.key,
      answer: (given) => answer({ kind: "answered", ...given }),
    });
    queueUpdate(world, bot, {
      callback_query: { id, from: person.user, message, chat_instance: `${chat.id}`, data },
    });
    return () => callbackQueries.delete(id);
  });
}

export interface CallbackPress {
  readonly chat: ChatState;
  readonly person: PersonState;
  readonly bot: BotState;
  readonly message: Message;
  readonly label: string;
  readonly data: string;
}

type Answered = Extract<Pressed, { kind: "answered" }>;
