import { Button } from "../components/button.tsx";
import { Notice } from "../components/notice.tsx";
import { useText } from "../i18n/use-text.ts";
import { wordsFor } from "../network/failure.ts";
import type { Live } from "./use-live.ts";

/** That the last look failed, and why: what is shown is old, or there is nothing to show. */
export function LiveFailure(props: {
  readonly of: Live<unknown>;
  /** Above what an earlier look brought. */
  readonly stale: string;
  /** In its place, when none did. */
  readonly unreachable: string;
}) {
  const t = useText();
  const { value, failure, refresh } = props.of;
  if (failure === undefined) return null;
  const hasValue = value !== undefined;
  return (
    <Notice
      tone={hasValue ? "warn" : "danger"}
      role={hasValue ? "status" : "alert"}
      title={hasValue ? props.stale : props.unreachable}
      actions={
        <Button kind="plain" icon="retry" onClick={() => void refresh()}>
          {t("try-again")}
        </Button>
      }
    >
      {t(wordsFor(failure))}
    </Notice>
  );
}
