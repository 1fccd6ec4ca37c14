import type { Machine } from "@bombyx/sdk/owner";
import { useLanguage, useText } from "../i18n/use-text.ts";
import { coins, counted } from "../live/amounts.ts";
import { Figures } from "../live/figures.tsx";

const sum = (machines: readonly Machine[], of: (machine: Machine) => string | number): bigint =>
  machines.reduce((total, machine) => total + BigInt(of(machine)), 0n);

/** What all machines of the person earned. */
export function Earnings({ machines }: { machines: readonly Machine[] }) {
  const t = useText();
  const language = useLanguage();
  return (
    <Figures
      figures={[
        {
          name: t("earn-today"),
          value: coins(
            sum(machines, ({ today }) => today.earnedNano),
            language,
          ),
          note: "GRAM",
        },
        {
          name: t("earn-total"),
          value: coins(
            sum(machines, ({ total }) => total.earnedNano),
            language,
          ),
          note: "GRAM",
        },
        {
          name: t("earn-requests-today"),
          value: counted(Number(sum(machines, ({ today }) => today.requests)), language),
        },
        {
          name: t("earn-online"),
          value: machines.filter(({ state }) => state === "ready").length,
          note: t("earn-online-of", { count: machines.length }),
        },
      ]}
    />
  );
}
