import { Suspense, useEffect } from "react";
import { Route, Router, Switch, useLocation } from "wouter";
import { memoryLocation } from "wouter/memory-location";
import { Skeleton } from "../components/skeleton.tsx";
import { useText } from "../i18n/use-text.ts";
import { useTelegram } from "../telegram/telegram-context.ts";
import { CrashScreen } from "./crash-screen.tsx";
import "./shell.css";
import { TabBar } from "./tab-bar.tsx";
import { tabs } from "./tabs.ts";

// In memory: the address bar is Telegram's. A reload begins at the chat; the wallet's document leads back to a tab.
const { hook } = memoryLocation({ path: firstTab(location.search) });

/** The tabs, one at a time, above the bar that chooses. */
export function Shell() {
  return (
    <Router hook={hook}>
      <BackToChat />
      <main className="page">
        <Switch>
          {tabs.map(({ path, route, Component }) => (
            <Route key={path} path={route}>
              <CrashScreen key={path}>
                <Suspense fallback={<Opening />}>
                  <Component />
                </Suspense>
              </CrashScreen>
            </Route>
          ))}
        </Switch>
      </main>
      <TabBar />
    </Router>
  );
}

function firstTab(search: string): string {
  const wanted = `/${new URLSearchParams(search).get("tab") ?? ""}`;
  return tabs.some(({ path }) => path === wanted) ? wanted : "/";
}

/** Away from the chat, Telegram's back button leads to it. A sheet's own handler lies above this one. */
function BackToChat() {
  const telegram = useTelegram();
  const [path, navigate] = useLocation();
  const away = path !== "/";
  useEffect(() => {
    if (away) return telegram?.showBack(() => navigate("/"));
  }, [away, telegram, navigate]);
  return null;
}

function Opening() {
  const t = useText();
  return (
    <div className="page-column">
      <Skeleton lines={4} label={t("loading")} />
    </div>
  );
}
