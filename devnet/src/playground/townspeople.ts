import type { BotAccount, Group, LocalBotApi, Person } from "../telegram/bot-api/interface.ts";

/** Who is there when a playground opens: a bot, two people, and a group of all three. */
export interface Townspeople {
  readonly bot: BotAccount;
  readonly persons: readonly Person[];
  readonly group: Group | undefined;
}

const people = [
  { firstName: "Ada", lastName: "Lovelace", username: "ada" },
  { firstName: "Лев", lastName: "Термен", username: "theremin" },
] as const;

/** Makes them at the first start; a later one finds them in the Bot API's file. */
export async function settle({ telegram }: LocalBotApi): Promise<Townspeople> {
  const bot =
    telegram.bots[0] ?? (await telegram.createBot({ username: "bombyx_bot", name: "Bombyx", topics: false }));
  const persons = [...telegram.persons];
  for (const { firstName, lastName, username } of people.slice(persons.length)) {
    persons.push(await telegram.createPerson({ firstName, lastName, username, languageCode: "en" }));
  }
  const isSettled = telegram.snapshot().chats.some((chat) => chat.type !== "private");
  const group = isSettled
    ? undefined
    : await telegram.createGroup({ title: "Silk Weavers", members: [...persons, bot] });
  return { bot, persons, group };
}
