import type { ReceiptLine } from "@bombyx/sdk/account";
import { useState } from "react";
import { Skeleton } from "../components/skeleton.tsx";
import { addMessages } from "../i18n/messages.ts";
import { useLanguage, useText } from "../i18n/use-text.ts";
import { coins } from "../live/amounts.ts";
import { LiveFailure } from "../live/live-failure.tsx";
import { Balance } from "./balance.tsx";
import { DaysPlot } from "./days-plot.tsx";
import en from "./en.ftl?raw";
import { ReceiptSheet } from "./receipt-sheet.tsx";
import { Receipts } from "./receipts.tsx";
import ru from "./ru.ftl?raw";
import { Statement } from "./statement.tsx";
import { useMoney } from "./use-money.ts";
import { useOnChain } from "./use-wallet.ts";
import "./wallet-tab.css";
import { WalletSection } from "./wallet-section.tsx";

addMessages({ en, ru });

/** What this person has and spent, with a proof for each answer, and the wallet that is theirs. */
export function WalletTab() {
  const t = useText();
  const language = useLanguage();
  const money = useMoney();
  const onChain = useOnChain();
  const [open, setOpen] = useState<ReceiptLine>();
  const { value } = money;
  const days = value?.spending.days ?? [];
  const spent = days.map(({ spentNano, freeNano }) => BigInt(spentNano) + BigInt(freeNano));
  const total = spent.reduce((sum, nano) => sum + nano, 0n);
  return (
    <div className="page-scroll">
      <div className="page-column">
        <header>
          <h1>{t("tab-wallet")}</h1>
          <p>{t("wallet-intro")}</p>
        </header>
        <LiveFailure of={money} stale={t("wallet-stale")} unreachable={t("wallet-unreachable")} />
        {!value && !money.failure && <Skeleton lines={6} label={t("loading")} />}
        {value && <Balance money={value.money} />}
        {onChain.value && onChain.value !== "off" && (
          <WalletSection onChain={onChain.value} changed={onChain.refresh} />
        )}
        {value && (
          <>
            <DaysPlot
              title={t("wallet-spent")}
              label={t("wallet-spent-words", { total: coins(total, language), days: days.length })}
              days={days.map(({ day }) => day)}
              amounts={[{ label: t("wallet-spent"), nano: spent }]}
            />
            <Statement statement={value.statement} />
            <Receipts receipts={value.receipts} onOpen={setOpen} />
          </>
        )}
      </div>
      {open && <ReceiptSheet line={open} onClose={() => setOpen(undefined)} />}
    </div>
  );
}
