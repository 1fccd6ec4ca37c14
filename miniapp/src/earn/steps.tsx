import type { Machine } from "@bombyx/sdk/owner";
import { Icon } from "../components/icon.tsx";
import { Section } from "../components/section.tsx";
import { useText } from "../i18n/use-text.ts";
import { shownState, steps, stepsDone } from "./machine-state.ts";

/** The way to the first money; each step ticks when the node really got there. */
export function Steps({ machine, now }: { machine: Machine; now: number }) {
  const t = useText();
  const done = stepsDone(machine);
  const state = shownState(machine, now);
  return (
    <Section title={t("earn-steps")}>
      <ol className="earn-steps" aria-live="polite">
        {steps.map((step, at) => {
          const how = at < done ? "done" : at === done ? "now" : "later";
          return (
            <li key={step} className="row" data-step={how}>
              {how === "done" ? <Icon name="check" /> : <span className="earn-dot" aria-hidden="true" />}
              <span className="row-text">
                <span>
                  {t(`earn-step-${step}`)}
                  <span className="unseen">, {t(`earn-step-is-${how}`)}</span>
                </span>
                {how === "now" && (
                  <small>
                    {state === "preparing" && step === "attested"
                      ? t("earn-step-preparing")
                      : t(`earn-step-${step}-now`)}
                  </small>
                )}
              </span>
            </li>
          );
        })}
      </ol>
    </Section>
  );
}
