import { Component, type ReactNode } from "react";
import { Button } from "../components/button.tsx";
import { Notice } from "../components/notice.tsx";
import { useText } from "../i18n/use-text.ts";

/** A tab that throws, or whose chunk cannot be fetched, leaves the others usable and never a blank page. */
export class CrashScreen extends Component<{ children: ReactNode }, { crashed: boolean }> {
  override readonly state = { crashed: false };

  static getDerivedStateFromError(): { crashed: boolean } {
    return { crashed: true };
  }

  override render(): ReactNode {
    return this.state.crashed ? <Crashed /> : this.props.children;
  }
}

function Crashed() {
  const t = useText();
  return (
    <div className="page-column">
      <Notice
        tone="danger"
        role="alert"
        title={t("crash-title")}
        actions={<Button onClick={() => location.reload()}>{t("try-again")}</Button>}
      >
        {t("crash-text")}
      </Notice>
    </div>
  );
}
