import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App, pageLanguage } from "./app.tsx";
import { addMessages } from "./i18n/messages.ts";
import { Connection } from "./network/connection.ts";
import en from "./shell/en.ftl?raw";
import ru from "./shell/ru.ftl?raw";
import { connectTelegram } from "./telegram/client.ts";
import { readLaunch } from "./telegram/launch.ts";
import { followClient } from "./theme/follow-client.ts";

const container = document.getElementById("app");
if (!container) throw new Error("index.html has no #app");

const launch = readLaunch(location.hash, sessionStorageOf(window));
const client = launch && connectTelegram(launch);
// Signed init data has no business in the address bar, the history or a screenshot.
if (launch) history.replaceState(null, "", location.pathname + location.search);

followClient(client, launch?.theme ?? {});
addMessages({ en, ru });
const language = pageLanguage(launch?.language);
document.documentElement.lang = language;

const connection = launch && new Connection(launch);
createRoot(container).render(
  <StrictMode>
    <App opened={client && connection && { client, connection }} language={language} />
  </StrictMode>,
);
client?.ready();
void connection?.open();

/** In some web views the property itself throws. */
function sessionStorageOf(page: Window): Storage | undefined {
  try {
    return page.sessionStorage;
  } catch {
    return undefined;
  }
}
