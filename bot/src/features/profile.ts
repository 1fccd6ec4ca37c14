import { createHash } from "node:crypto";
import type { Api } from "grammy";
import type { BotCommand, MenuButton } from "grammy/types";
import type { MiniApp } from "../config.ts";
import type { Log } from "../log.ts";
import type { Store } from "../store/open-store.ts";
import { type Language, languages, type Translate } from "../texts/texts.ts";

export interface ProfileDeps {
  readonly api: Api;
  readonly store: Store;
  readonly texts: Readonly<Record<Language, Translate>>;
  readonly miniApp: MiniApp;
  /** Whether credit is sold: then there are commands for it. */
  readonly sells: boolean;
  readonly log: Log;
}

/** In the order in which people see them; the text of each is `command-…` in the locales. */
export const privateCommands = ["new", "model", "stop", "privacy", "forget", "help"] as const;
export const groupCommands = ["ask", "model", "stop", "privacy", "forget", "help"] as const;
/** Beside them where credit is sold. */
export const moneyCommands = ["topup", "paysupport", "terms"] as const;
export const administratorCommands = ["ask", "new", "model", "stop", "privacy", "forget", "help"] as const;

/**
 * What Telegram shows of the bot before anybody writes to it: commands, description and menu button, in each
 * language. Told to Telegram when it changed: at every start it would be a storm of calls.
 */
export async function publishProfile({ api, store, texts, miniApp, sells, log }: ProfileDeps): Promise<void> {
  const calls = profileCalls(texts, miniApp, sells);
  const digest = createHash("sha256").update(JSON.stringify(calls)).digest("hex");
  if ((await store.settings.get("profile")) === digest) return;
  try {
    for (const { commands, scope, language } of calls.commands) {
      await api.setMyCommands(commands, {
        scope: { type: scope },
        ...(language && { language_code: language }),
      });
    }
    for (const { text, language } of calls.descriptions) await api.setMyDescription(text, ...code(language));
    for (const { text, language } of calls.shortDescriptions)
      await api.setMyShortDescription(text, ...code(language));
    await api.setChatMenuButton({ menu_button: calls.menuButton });
    await store.settings.set("profile", digest);
  } catch (error) {
    // The bot answers without it; the next start tries again.
    log.warn({ err: error }, "Telegram did not take the bot's profile");
  }
}

const code = (language: Language | undefined) => (language ? [{ language_code: language }] : []);

function profileCalls(texts: ProfileDeps["texts"], miniApp: MiniApp, sells: boolean) {
  const inPrivate = [...privateCommands, ...(sells ? moneyCommands : [])];
  // Without a language code for everybody, then for each language of ours but the one that is everybody's.
  const audiences = languages.map((language) => ({
    t: texts[language],
    ...(language !== "en" && { language }),
  }));
  const commandsOf = (t: Translate, names: readonly string[]): BotCommand[] =>
    names.map((command) => ({ command, description: t(`command-${command}`) }));
  // What it erases in a group is the asker's own.
  const inGroups = (commands: BotCommand[], t: Translate): BotCommand[] =>
    commands.map((one) =>
      one.command === "forget" ? { ...one, description: t("command-forget-own") } : one,
    );
  return {
    commands: audiences.flatMap(({ t, language }) => [
      { scope: "all_private_chats" as const, commands: commandsOf(t, inPrivate), language },
      { scope: "all_group_chats" as const, commands: inGroups(commandsOf(t, groupCommands), t), language },
      {
        scope: "all_chat_administrators" as const,
        commands: inGroups(commandsOf(t, administratorCommands), t),
        language,
      },
    ]),
    descriptions: audiences.map(({ t, language }) => ({ text: t("description"), language })),
    shortDescriptions: audiences.map(({ t, language }) => ({ text: t("short-description"), language })),
    menuButton: menuButton(texts.en, miniApp),
  };
}

/** The way to the Mini App beside the input, in one language; the list of commands where there is no Mini App. */
export const menuButton = (t: Translate, miniApp: MiniApp): MenuButton =>
  miniApp.url === undefined
    ? { type: "commands" }
    : { type: "web_app", text: t("menu-button"), web_app: { url: miniApp.url } };
