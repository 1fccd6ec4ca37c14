import type { BotCommand } from "@grammyjs/types";
import type { BotSnapshot } from "../../../../telegram/bot-api/interface.ts";

/** What a bot has set for a language, else what it has set for all others. */
export const inLanguage = <T>(values: Readonly<Record<string, T>>, language: string, none: T): T =>
  values[language] ?? values[""] ?? none;

/** Commands as the menu shows them: the narrowest scope that has any. @see https://core.telegram.org/bots/api#botcommandscope */
export function commandsOf(bot: BotSnapshot, isGroup: boolean, language: string): readonly BotCommand[] {
  for (const scope of [isGroup ? "all_group_chats" : "all_private_chats", "default"]) {
    const found = bot.commands[`${scope}|${language}`] ?? bot.commands[`${scope}|`];
    if (found) return found;
  }
  return [];
}
