import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { pageLanguage } from "../app.tsx";
import { addMessages } from "../i18n/messages.ts";
import { LanguageContext } from "../i18n/use-text.ts";
import { Connection } from "../network/connection.ts";
import { ConnectionContext } from "../network/use-connection.ts";
import { CrashScreen } from "../shell/crash-screen.tsx";
import shellEn from "../shell/en.ftl?raw";
import shellRu from "../shell/ru.ftl?raw";
import { connectTelegram } from "../telegram/client.ts";
import { readLaunch } from "../telegram/launch.ts";
import { TelegramContext } from "../telegram/telegram-context.ts";
import { followClient } from "../theme/follow-client.ts";
import en from "./en.ftl?raw";
import ru from "./ru.ftl?raw";
import { WalletDocument } from "./wallet-document.tsx";
import "../shell/shell.css";

/**
 * The second document (PROTOCOL §11): TON Connect with a policy of its own. It is come to from the Mini App and leads
 * back to it; what Telegram launched the page with lies in the tab's session.
 */
const container = document.getElementById("app");
if (!container) throw new Error("wallet.html has no #app");

const launch = readLaunch(
  location.hash,
  quietly(() => sessionStorage),
);
const client = launch && connectTelegram(launch);
followClient(client, launch?.theme ?? {});
addMessages({ en: shellEn, ru: shellRu });
addMessages({ en, ru });
const language = pageLanguage(launch?.language);
document.documentElement.lang = language;

// Opened by hand, without Telegram: the Mini App says what it is.
if (!launch) location.replace("./");
else {
  createRoot(container).render(
    <StrictMode>
      <LanguageContext value={language}>
        <CrashScreen>
          <TelegramContext value={client}>
            <ConnectionContext value={new Connection(launch, () => import("@bombyx/sdk/account"))}>
              <WalletDocument platform={launch.platform} user={launch.user} />
            </ConnectionContext>
          </TelegramContext>
        </CrashScreen>
      </LanguageContext>
    </StrictMode>,
  );
  client?.ready();
}

function quietly<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
