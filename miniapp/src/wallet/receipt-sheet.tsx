import type { ReceiptLine } from "@bombyx/sdk/account";
import { Row, Section } from "../components/section.tsx";
import { Sheet } from "../components/sheet.tsx";
import { useLanguage, useText } from "../i18n/use-text.ts";
import { clockTime, counted, exactCoins } from "../live/amounts.ts";
import { useNow } from "../live/use-now.ts";

/** One answer's bill. */
export function ReceiptSheet({ line, onClose }: { line: ReceiptLine; onClose: () => void }) {
  const t = useText();
  const language = useLanguage();
  const now = useNow(30_000);
  return (
    <Sheet title={t("wallet-receipt")} onClose={onClose}>
      <Section>
        <Row icon="cube" title={t("wallet-model")} value={line.model ?? t("wallet-model-forgotten")} />
        <Row icon="clock" title={t("wallet-when")} value={clockTime(line.at, now, language)} />
        <Row icon="bolt" title={t("wallet-units")} value={counted(line.units, language)} />
        <Row
          icon="coins"
          title={t("wallet-charged")}
          detail={t(`wallet-purse-${line.paidBy}`)}
          value={`${exactCoins(BigInt(line.chargedNano), language)} GRAM`}
        />
        <Row
          icon="chip"
          title={t("wallet-node")}
          detail={<span className="receipt-hash">{line.node}</span>}
        />
      </Section>
    </Sheet>
  );
}
