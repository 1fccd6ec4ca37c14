import { createHash } from "node:crypto";
import type { Api } from "grammy";
import type { BotCommand } from "grammy/types";
import type { MiniApp } from "../config.ts";
import type { Log } from "../log.ts";
import type { Store } from "../store/open-store.ts";
import { type Language, languages, type Translate } from "../texts/texts.ts";

export interface ProfileDeps {
  readonly api: Api;
  readonly store: Store;
  readonly texts: Readonly<Record<Language, Translate>>;
  readonly miniApp: MiniApp;
  readonly log: Log;
}

/** In the order in which people see them; the text of each is `command-…` in the locales. */
export const privateCommands = ["new", "model", "stop", "privacy", "forget", "help"] as const;
export const groupCommands = ["ask", "new", "model", "stop", "privacy", "forget", "help"] as const;

/**
 * What Telegram shows of the bot before anybody writes to it: commands, description and menu button, in each
 * language. Told to Telegram when it changed: at every start it would be a storm of calls.
 */
export async function publishProfile({ api, store, texts, miniApp, log }: ProfileDeps): Promise<void> {
  const calls = profileCalls(texts, miniApp);
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

function profileCalls(texts: ProfileDeps["texts"], miniApp: MiniApp) {
  // Without a language code for everybody, then for each language of ours but the one that is everybody's.
  const audiences = languages.map((language) => ({
    t: texts[language],
    ...(language !== "en" && { language }),
  }));
  const commandsOf = (t: Translate, names: readonly string[]): BotCommand[] =>
    names.map((command) => ({ command, description: t(`command-${command}`) }));
  return {
    commands: audiences.flatMap(({ t, language }) => [
      { scope: "all_private_chats" as const, commands: commandsOf(t, privateCommands), language },
      { scope: "all_group_chats" as const, commands: commandsOf(t, groupCommands), language },
    ]),
    descriptions: audiences.map(({ t, language }) => ({ text: t("description"), language })),
    shortDescriptions: audiences.map(({ t, language }) => ({ text: t("short-description"), language })),
    menuButton:
      miniApp.url === undefined
        ? { type: "commands" as const }
        : { type: "web_app" as const, text: texts.en("menu-button"), web_app: { url: miniApp.url } },
  };
}
