import { lazy, Suspense } from "react";
import { type Language, languageFor } from "./i18n/messages.ts";
import { LanguageContext } from "./i18n/use-text.ts";
import type { Connection } from "./network/connection.ts";
import { ConnectionContext } from "./network/use-connection.ts";
import { CrashScreen } from "./shell/crash-screen.tsx";
import { Shell } from "./shell/shell.tsx";
import type { TelegramClient } from "./telegram/client.ts";
import { TelegramContext } from "./telegram/telegram-context.ts";

/** What Telegram opened the page with; without it, a visitor is here. */
export interface Opened {
  readonly client: TelegramClient;
  readonly connection: Connection;
}

const Visitor = lazy(() => import("./launch/visitor.tsx").then(({ Visitor }) => ({ default: Visitor })));

export function App({ opened, language }: { opened: Opened | undefined; language: Language }) {
  return (
    <LanguageContext value={language}>
      <CrashScreen>
        {opened ? (
          <TelegramContext value={opened.client}>
            <ConnectionContext value={opened.connection}>
              <Shell />
            </ConnectionContext>
          </TelegramContext>
        ) : (
          <Suspense>
            <Visitor />
          </Suspense>
        )}
      </CrashScreen>
    </LanguageContext>
  );
}

/** The language of the person's Telegram app, else of the browser. */
export const pageLanguage = (tag: string | undefined): Language => languageFor(tag ?? navigator.language);
