import { Button } from "../components/button.tsx";
import { Icon } from "../components/icon.tsx";
import { Section } from "../components/section.tsx";
import { useText } from "../i18n/use-text.ts";
import { useTelegram } from "../telegram/telegram-context.ts";
import type { Connected } from "./connector.ts";

const steps = ["asking", "sent", "paid"] as const;

/** What is waited for: the holder, then the chain. */
export function Progress({ at, wallet }: { at: "asking" | "sent"; wallet: Connected }) {
  const t = useText();
  const telegram = useTelegram();
  const reached = steps.indexOf(at);
  const { link } = wallet;
  return (
    <Section title={t("tc-progress")} footer={t(`tc-step-${at}-note`)}>
      <ol className="tc-steps" aria-live="polite">
        {steps.map((step, place) => {
          const how = place < reached ? "done" : place === reached ? "now" : "later";
          return (
            <li key={step} className="row" data-step={how} aria-current={how === "now" ? "step" : undefined}>
              {how === "done" ? <Icon name="check" /> : <span className="tc-dot" aria-hidden="true" />}
              <span className="row-text">
                <span>{t(`tc-step-${step}`, { wallet: wallet.name })}</span>
              </span>
            </li>
          );
        })}
      </ol>
      {at === "asking" && link && (
        <div className="row">
          <Button icon="open" wide onClick={() => telegram?.openLink(link)}>
            {t("tc-open-wallet", { wallet: wallet.name })}
          </Button>
        </div>
      )}
    </Section>
  );
}
