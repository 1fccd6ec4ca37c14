import { Button } from "../components/button.tsx";
import { MainAction } from "../components/main-action.tsx";
import { Notice } from "../components/notice.tsx";
import { useText } from "../i18n/use-text.ts";
import type { ConnectionState } from "../network/connection.ts";
import { passesByItself, wordsFor } from "../network/failure.ts";
import { useConnection } from "../network/use-connection.ts";

/** Why nothing can be sent, in plain words, with the code for those who look it up. */
export function RefusalNotice({ network }: { network: Extract<ConnectionState, { phase: "refused" }> }) {
  const t = useText();
  const { open } = useConnection();
  const { failure } = network;
  return (
    <Notice
      tone={passesByItself(failure) ? "warn" : "danger"}
      role="alert"
      title={t("chat-nothing-sent")}
      actions={
        passesByItself(failure) ? (
          <Button kind="plain" icon="retry" onClick={() => void open()}>
            {t("try-again")}
          </Button>
        ) : (
          <MainAction text={t("try-again")} icon="retry" onPress={() => void open()} />
        )
      }
    >
      <p>
        {t(wordsFor(failure))} <code>{failure.reason ?? failure.code}</code>
      </p>
    </Notice>
  );
}
