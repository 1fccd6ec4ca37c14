import type { Network } from "@bombyx/sdk/network";
import { busyPercent, estimateDay, estimateModel, type Gpu } from "@bombyx/sdk/owner";
import { Row, Section } from "../components/section.tsx";
import { useLanguage, useText } from "../i18n/use-text.ts";
import { coins, counted } from "../live/amounts.ts";

/** What such a machine may bring in a day; named an estimate, with what it assumes. */
export function Estimate({
  gpu,
  hoursPerDay,
  terms,
}: {
  gpu: Gpu;
  hoursPerDay: number;
  terms: Network["terms"];
}) {
  const t = useText();
  const language = useLanguage();
  const { price, ownerShareBps } = terms;
  const day = estimateDay({ bandwidthGBs: gpu.bandwidthGBs, hoursPerDay, price, ownerShareBps });
  return (
    <Section
      title={t("earn-estimate")}
      footer={t("earn-estimate-note", {
        model: estimateModel.parametersBillion,
        low: busyPercent.low,
        high: busyPercent.high,
      })}
    >
      <Row
        icon="coins"
        title={t("earn-estimate-day")}
        value={
          <strong className="earn-range">
            {t("earn-estimate-range", {
              low: coins(day.lowNano, language),
              high: coins(day.highNano, language),
            })}
          </strong>
        }
      />
      <Row
        icon="bolt"
        title={t("earn-estimate-speed")}
        value={t("earn-estimate-tokens", { speed: counted(day.tokensPerSecond, language) })}
      />
      {!gpu.confidential && (
        <Row
          icon="alert"
          tone="warn"
          title={t("earn-not-confidential")}
          detail={t("earn-not-confidential-text")}
        />
      )}
    </Section>
  );
}
