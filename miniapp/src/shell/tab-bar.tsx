import { Link, useRoute } from "wouter";
import { Icon } from "../components/icon.tsx";
import { useText } from "../i18n/use-text.ts";
import { useTelegram } from "../telegram/telegram-context.ts";
import { type Tab, tabs } from "./tabs.ts";

export function TabBar() {
  const t = useText();
  return (
    <nav className="tab-bar" aria-label={t("tab-bar")}>
      {tabs.map((tab) => (
        <TabLink key={tab.path} tab={tab} />
      ))}
    </nav>
  );
}

function TabLink({ tab }: { tab: Tab }) {
  const t = useText();
  const telegram = useTelegram();
  const [current] = useRoute(tab.route);
  return (
    <Link
      href={tab.path}
      aria-current={current ? "page" : undefined}
      onClick={() => {
        if (!current) telegram?.haptic("selection");
      }}
    >
      <Icon name={tab.icon} size={24} />
      {t(tab.title)}
    </Link>
  );
}
