import type { BotCommand, BotCommandScope } from "@grammyjs/types";
import type { BotState } from "./state.ts";

/** A scope of commands as a key: `default`, `all_private_chats`, `chat:<id>`, `chat_member:<chat id>:<user id>` … */
export function scopeKey(scope: BotCommandScope): string {
  const ids = [
    "chat_id" in scope ? scope.chat_id : undefined,
    "user_id" in scope ? scope.user_id : undefined,
  ].filter((id) => id !== undefined);
  return [scope.type, ...ids].join(":");
}

export const commandsKey = (scope: string, languageCode: string) => `${scope}|${languageCode}`;

/**
 * Commands that a person with this language sees: of the narrowest scope that has any, in their language before any.
 * @see https://core.telegram.org/bots/api#determining-list-of-commands
 */
export function commandsFor(bot: BotState, scope: string, languageCode: string): readonly BotCommand[] {
  const language = languageCode.split("-")[0] ?? "";
  for (const candidate of new Set([scope, "default"])) {
    for (const code of new Set([language, ""])) {
      const commands = bot.commands[commandsKey(candidate, code)];
      if (commands && commands.length > 0) return commands;
    }
  }
  return [];
}
