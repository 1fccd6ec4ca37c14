import type { NodeEarnings } from "@bombyx/sdk/wallet";
import { Button } from "../components/button.tsx";
import { Notice } from "../components/notice.tsx";
import { Skeleton } from "../components/skeleton.tsx";
import { useLanguage, useText } from "../i18n/use-text.ts";
import { clockTime, coins } from "../live/amounts.ts";
import { Figures } from "../live/figures.tsx";
import { LiveFailure } from "../live/live-failure.tsx";
import type { Live } from "../live/use-live.ts";
import { useNow } from "../live/use-now.ts";
import { DaysPlot, lastDays } from "../wallet/days-plot.tsx";
import { openWalletDocument } from "../wallet/open-document.ts";
import type { OnChain } from "../wallet/use-wallet.ts";
import "../wallet/wallet-tab.css";

const plotDays = 14;

/** From earned to paid: what is still held, pending and final, and the button that claims it. */
export function Payout({ onChain }: { onChain: Live<OnChain | "off"> }) {
  const t = useText();
  const language = useLanguage();
  const now = useNow(30_000);
  const { value, failure } = onChain;
  if (value === "off") return null;
  if (!value) {
    return failure ? (
      <LiveFailure of={onChain} stale={t("payout-stale")} unreachable={t("payout-unreachable")} />
    ) : (
      <Skeleton lines={3} label={t("loading")} />
    );
  }
  const { settlement, earnings } = value;
  const { nodes, wallet } = earnings;
  const sum = (of: (node: NodeEarnings) => bigint) => nodes.reduce((total, node) => total + of(node), 0n);
  const paid = sum(({ paidNano }) => BigInt(paidNano));
  const due = sum(({ finalNano, paidNano }) => max0(BigInt(finalNano) - BigInt(paidNano)));
  const pending = sum(({ pendingNano }) => BigInt(pendingNano));
  const earned = sum(({ earnedNano }) => BigInt(earnedNano));
  const homeless = nodes.filter(({ account, earnedNano }) => account === null && BigInt(earnedNano) > 0n);
  const gram = (nano: bigint) => coins(nano, language);
  const days = lastDays(earnings.at, plotDays);
  const amounts = (of: (day: (typeof earnings.days)[number]) => string): bigint[] =>
    days.map((day) => {
      const known = earnings.days.find((one) => one.day === day);
      return known ? BigInt(of(known)) : 0n;
    });
  return (
    <>
      <LiveFailure of={onChain} stale={t("payout-stale")} unreachable={t("payout-unreachable")} />
      <Figures
        figures={[
          { name: t("payout-earned"), value: gram(earned), note: "GRAM" },
          { name: t("payout-pending"), value: gram(pending), note: "GRAM" },
          { name: t("payout-final"), value: gram(due), note: "GRAM" },
          { name: t("payout-paid"), value: gram(paid), note: "GRAM" },
        ]}
      />
      <DaysPlot
        title={t("payout-plot")}
        label={t("payout-plot-words", { days: plotDays, earned: gram(earned), paid: gram(paid) })}
        days={days}
        amounts={[
          { label: t("payout-earned"), nano: amounts(({ earnedNano }) => earnedNano) },
          { label: t("payout-paid"), colour: "--good", nano: amounts(({ paidNano }) => paidNano) },
        ]}
      />
      {homeless.map(({ node, name }) => (
        <Notice key={node} tone="warn" title={t("payout-homeless", { name })}>
          {t("payout-homeless-text")}
        </Notice>
      ))}
      {wallet ? (
        <Notice
          tone={due > 0n ? "good" : "plain"}
          icon="coins"
          title={due > 0n ? t("payout-ready", { amount: gram(due) }) : t("payout-nothing")}
          actions={
            due > 0n && (
              <Button icon="wallet" onClick={() => openWalletDocument("claim")}>
                {t("payout-claim")}
              </Button>
            )
          }
        >
          {due > 0n
            ? t("payout-ready-text")
            : settlement.pending
              ? t("payout-wait", { at: clockTime(settlement.pending.finalAt, now, language) })
              : t("payout-nothing-text")}
        </Notice>
      ) : (
        <Notice
          tone="warn"
          icon="wallet"
          title={t("payout-connect")}
          actions={
            <Button icon="wallet" onClick={() => openWalletDocument("connect")}>
              {t("payout-connect-button")}
            </Button>
          }
        >
          {t("payout-connect-text")}
        </Notice>
      )}
    </>
  );
}

const max0 = (nano: bigint): bigint => (nano > 0n ? nano : 0n);
