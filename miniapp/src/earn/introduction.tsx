import type { Network } from "@bombyx/sdk/network";
import { Row, Section } from "../components/section.tsx";
import { useText } from "../i18n/use-text.ts";

/** What an owner gets and gives, before anything is asked. */
export function Introduction({ terms }: { terms: Network["terms"] | undefined }) {
  const t = useText();
  return (
    <>
      <Section title={t("earn-why")}>
        <Row
          icon="coins"
          title={terms ? t("earn-share", { share: terms.ownerShareBps / 100 }) : t("earn-share-unknown")}
          detail={t("earn-share-text")}
        />
        <Row icon="lock" title={t("earn-private")} detail={t("earn-private-text")} />
        <Row icon="bolt" title={t("earn-simple")} detail={t("earn-simple-text")} />
      </Section>
      <Section title={t("earn-needs")} footer={t("earn-needs-note")}>
        <Row icon="shield" title={t("earn-needs-tdx")} detail={t("earn-needs-tdx-text")} />
        <Row icon="chip" title={t("earn-needs-gpu")} detail={t("earn-needs-gpu-text")} />
        <Row icon="network" title={t("earn-needs-line")} detail={t("earn-needs-line-text")} />
      </Section>
    </>
  );
}
