import type { ReceiptLine } from "@bombyx/sdk/account";
import type { ReceiptCheck, VerifiedReceipt } from "@bombyx/sdk/receipt";
import { useEffect, useRef, useState } from "react";
import { Button } from "../components/button.tsx";
import { Notice } from "../components/notice.tsx";
import { Row, Section } from "../components/section.tsx";
import { Sheet } from "../components/sheet.tsx";
import { useLanguage, useText } from "../i18n/use-text.ts";
import { clockTime, counted, exactCoins } from "../live/amounts.ts";
import { useNow } from "../live/use-now.ts";
import { type Failure, failureOf, wordsFor } from "../network/failure.ts";
import { useTelegram } from "../telegram/telegram-context.ts";
import { useAccountClient } from "./use-wallet.ts";

type Judged =
  | { readonly at: "unasked" | "judging" }
  | { readonly at: "holds"; readonly verified: VerifiedReceipt }
  | { readonly at: "broken"; readonly check: string }
  | { readonly at: "failed"; readonly failure: Failure };

const shownChecks: readonly ReceiptCheck[] = ["signature", "node", "price", "charge", "ack"];

/** One answer's bill, and its judgement on this device: the gateway only hands over what is judged. */
export function ReceiptSheet({ line, onClose }: { line: ReceiptLine; onClose: () => void }) {
  const t = useText();
  const language = useLanguage();
  const telegram = useTelegram();
  const now = useNow(30_000);
  const client = useAccountClient();
  const [judged, setJudged] = useState<Judged>({ at: "unasked" });
  const gone = useRef(false);
  useEffect(() => {
    gone.current = false;
    return () => {
      gone.current = true;
    };
  }, []);
  const show = (next: Judged) => {
    if (!gone.current) setJudged(next);
  };
  const verify = async () => {
    show({ at: "judging" });
    try {
      const [{ verifyReceiptFile, ReceiptError }, account] = await Promise.all([
        import("@bombyx/sdk/receipt"),
        client(),
      ]);
      const proof = await account.receipt(line.id);
      try {
        const verified = await verifyReceiptFile(proof);
        // What was listed is what is judged: a gateway could hand over another receipt that holds.
        const isListed =
          verified.node === line.node &&
          verified.units === line.units &&
          (verified.costNano === undefined || verified.costNano === BigInt(line.chargedNano));
        show(isListed ? { at: "holds", verified } : { at: "broken", check: "format" });
        telegram?.haptic(isListed ? "success" : "error");
      } catch (error) {
        if (!(error instanceof ReceiptError)) throw error;
        telegram?.haptic("error");
        show({ at: "broken", check: error.check });
      }
    } catch (error) {
      show({ at: "failed", failure: failureOf(error) });
    }
  };
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
      {judged.at === "holds" && (
        <>
          <Notice tone="good" role="status" title={t("wallet-holds")}>
            {t("wallet-holds-text")}
          </Notice>
          <Section footer={t("wallet-quote-note")}>
            {shownChecks.map((check) => {
              const isDone = judged.verified.checked.includes(check);
              return (
                <Row
                  key={check}
                  icon={isDone ? "check" : "alert"}
                  title={t(`wallet-check-${check}`)}
                  {...(isDone && { tone: "good" as const })}
                  detail={t(isDone ? "wallet-check-done" : "wallet-check-missing")}
                />
              );
            })}
          </Section>
        </>
      )}
      {judged.at === "broken" && (
        <Notice tone="danger" role="alert" title={t("wallet-holds-not")}>
          <code>{judged.check}</code>
        </Notice>
      )}
      {judged.at === "failed" && (
        <Notice tone="danger" role="alert" title={t("wallet-cannot-verify")}>
          {t(wordsFor(judged.failure))}
        </Notice>
      )}
      {judged.at !== "holds" && (
        <Button wide icon="shield" busy={judged.at === "judging"} onClick={() => void verify()}>
          {t(judged.at === "judging" ? "wallet-verifying" : "wallet-verify")}
        </Button>
      )}
    </Sheet>
  );
}
