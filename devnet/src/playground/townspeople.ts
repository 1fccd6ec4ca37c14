import type { BotAccount, LocalBotApi, Person } from "../telegram/bot-api/interface.ts";

/** Who is there when a playground opens: a bot and two people, who meet in a group and in a group with topics. */
export interface Townspeople {
  readonly bot: BotAccount;
  readonly persons: readonly Person[];
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
  const groups = telegram.snapshot().chats.filter((chat) => chat.type !== "private");
  if (groups.length > 0) return { bot, persons };
  const [ada] = persons;
  const members = [...persons, bot];
  await telegram.createGroup({ title: "Silk Weavers", members });
  const forum = await telegram.createGroup({ title: "Silk Lab", forum: true, members });
  for (const topic of ["Ideas", "Questions"]) await ada?.in(forum).createTopic(topic);
  return { bot, persons };
}
