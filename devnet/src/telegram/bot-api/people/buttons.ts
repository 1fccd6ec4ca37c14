import type { InlineKeyboardButton, Message } from "@grammyjs/types";
import type { Patience, Pressed } from "../interface.ts";
import { richButtons } from "../rich/rich-buttons.ts";
import type { BotState, ChatState, PersonState } from "../world/state.ts";
import { queueUpdate } from "../world/updates.ts";
import { newDigits, type World } from "../world/world.ts";
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
export function pressCallback(
  world: World,
  {
    chat,
    person,
    bot,
    message,
    label,
    data,
  }: {
    readonly chat: ChatState;
    readonly person: PersonState;
    readonly bot: BotState;
    readonly message: Message;
    readonly label: string;
    readonly data: string;
  },
  { signal, timeoutMs }: Patience,
): Promise<Extract<Pressed, { kind: "answered" }>> {
  const { callbackQueries } = world.passing;
  const id = newDigits(world);
  return new Promise((resolve, reject) => {
    const finish = () => {
      cancel();
      clearTimeout(patience);
      signal?.removeEventListener("abort", onAbort);
      callbackQueries.delete(id);
    };
    const give = (reason: unknown) => {
      finish();
      reject(reason);
    };
    const onAbort = () => give(signal?.reason);
    const cancel = world.clock.after(QUERY_LIFE_MS, () => give(new CallbackExpired(label)));
    const patience =
      timeoutMs === undefined ? undefined : setTimeout(() => give(new CallbackExpired(label)), timeoutMs);
    signal?.addEventListener("abort", onAbort);
    callbackQueries.set(id, {
      botId: bot.user.id,
      chatKey: chat.key,
      answer: (answer) => {
        finish();
        resolve({ kind: "answered", ...answer });
      },
    });
    const callback = { id, from: person.user, message, chat_instance: `${chat.id}`, data };
    if (!queueUpdate(world, bot, { callback_query: callback })) {
      give(new PeopleError(`${bot.user.username} does not ask for callback_query in allowed_updates`));
    }
  });
}
