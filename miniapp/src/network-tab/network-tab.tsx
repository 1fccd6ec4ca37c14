import { Notice } from "../components/notice.tsx";
import { useText } from "../i18n/use-text.ts";

export function NetworkTab() {
  const t = useText();
  return (
    <div className="page-scroll">
      <div className="page-column">
        <header>
          <h1>{t("tab-network")}</h1>
        </header>
        <Notice>{t("coming-soon")}</Notice>
      </div>
    </div>
  );
}
