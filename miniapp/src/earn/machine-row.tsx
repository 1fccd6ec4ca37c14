import type { Machine } from "@bombyx/sdk/owner";
import { Row } from "../components/section.tsx";
import { useLanguage, useText } from "../i18n/use-text.ts";
import { clockTime, coins } from "../live/amounts.ts";
import { useNow } from "../live/use-now.ts";
import { shownState, toneOf } from "./machine-state.ts";

/** One of the owner's machines in their list. */
export function MachineRow({ machine, onOpen }: { machine: Machine; onOpen: () => void }) {
  const t = useText();
  const language = useLanguage();
  const now = useNow(10_000);
  const state = shownState(machine, now);
  const tone = machine.warnings.length > 0 ? "warn" : toneOf(state);
  const words = t(`earn-state-${state}`, { since: clockTime(machine.since, now, language) });
  return (
    <Row
      icon={machine.warnings.length > 0 ? "alert" : "chip"}
      title={machine.name}
      detail={machine.serving ? `${words} · ${machine.serving.model}` : words}
      {...(tone && { tone })}
      value={
        <span className="earn-row-value">
          {coins(BigInt(machine.today.earnedNano), language)}
          <small>{t("earn-row-today")}</small>
        </span>
      }
      leads
      onClick={onOpen}
    />
  );
}
