import type { Network } from "@bombyx/sdk/network";
import { Notice } from "../components/notice.tsx";
import { Row, Section } from "../components/section.tsx";
import { Skeleton } from "../components/skeleton.tsx";
import { addMessages } from "../i18n/messages.ts";
import { useLanguage, useText } from "../i18n/use-text.ts";
import { coins, counted } from "../live/amounts.ts";
import { Figures } from "../live/figures.tsx";
import { LiveFailure } from "../live/live-failure.tsx";
import en from "./en.ftl?raw";
import { NodeRow } from "./node-row.tsx";
import "./network-tab.css";
import { RequestsPlot } from "./requests-plot.tsx";
import ru from "./ru.ftl?raw";
import { useNetwork } from "./use-network.ts";

addMessages({ en, ru });

/** The fleet as the gateway shows it to everybody, live. */
export function NetworkTab() {
  const t = useText();
  const live = useNetwork();
  const { value: network, failure } = live;
  return (
    <div className="page-scroll">
      <div className="page-column">
        <header>
          <h1>{t("tab-network")}</h1>
          <p>{t("network-intro")}</p>
        </header>
        <LiveFailure of={live} stale={t("network-stale")} unreachable={t("network-unreachable")} />
        {network ? <Fleet network={network} /> : !failure && <Skeleton lines={6} label={t("loading")} />}
      </div>
    </div>
  );
}

function Fleet({ network }: { network: Network }) {
  const t = useText();
  const language = useLanguage();
  const { totals, nodes, models } = network;
  const shown = nodes.length;
  return (
    <>
      <Figures
        figures={[
          { name: t("network-ready"), value: totals.ready },
          {
            name: t("network-answering"),
            value: totals.running,
            note: t("network-of-slots", { slots: totals.slots }),
          },
          { name: t("network-speed"), value: counted(totals.decodeTokensPerSecond, language) },
          { name: t("network-day"), value: counted(totals.requests, language) },
        ]}
      />
      <RequestsPlot network={network} />
      {shown === 0 ? (
        <Notice title={t("network-empty")}>{t("network-empty-text")}</Notice>
      ) : (
        <Section title={t("network-machines")} footer={t("network-machines-note")}>
          {nodes.map((node) => (
            <NodeRow key={node.node} node={node} />
          ))}
          {totals.nodes > shown && <Row title={t("network-more", { count: totals.nodes - shown })} />}
        </Section>
      )}
      {models.length > 0 && (
        <Section title={t("network-models")} footer={t("network-models-note")}>
          {models.map(({ id, nodes: serving, price }) => (
            <Row
              key={id}
              icon="cube"
              title={id}
              detail={t("network-model-nodes", { count: serving })}
              value={t("network-price", {
                price: coins(
                  (price.nanoPerUnit * BigInt(price.completionMultiplier) * 1_000_000n) / 10_000n,
                  language,
                ),
              })}
            />
          ))}
        </Section>
      )}
    </>
  );
}
