import type { AccountReceipts, ReceiptLine } from "@bombyx/sdk/account";
import { Row, Section } from "../components/section.tsx";
import { useLanguage, useText } from "../i18n/use-text.ts";
import { clockTime, coins, counted } from "../live/amounts.ts";
import { useNow } from "../live/use-now.ts";

/** What was answered and what it cost, newest first; each leads to its proof. */
export function Receipts({
  receipts,
  onOpen,
}: {
  receipts: AccountReceipts;
  onOpen: (line: ReceiptLine) => void;
}) {
  const t = useText();
  const language = useLanguage();
  const now = useNow(30_000);
  const { receipts: lines } = receipts;
  return (
    <Section
      title={t("wallet-receipts")}
      footer={t(lines.length === 0 ? "wallet-receipts-none" : "wallet-receipts-note")}
    >
      {lines.length === 0 && <Row icon="shield" title={t("wallet-nothing-yet")} />}
      {lines.map((line) => (
        <Row
          key={line.id}
          icon="shield"
          title={line.model ?? t("wallet-model-forgotten")}
          detail={t("wallet-receipt-detail", {
            at: clockTime(line.at, now, language),
            units: counted(line.units, language),
            purse: t(`wallet-purse-${line.paidBy}`),
          })}
          value={`−${coins(BigInt(line.chargedNano), language)}`}
          leads
          onClick={() => onOpen(line)}
        />
      ))}
    </Section>
  );
}
