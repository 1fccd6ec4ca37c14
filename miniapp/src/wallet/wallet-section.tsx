import { friendlyAddress, shortAddress, WalletClient } from "@bombyx/sdk/wallet";
import { useState } from "react";
import { CopyButton } from "../chat/copy-button.tsx";
import { Button } from "../components/button.tsx";
import { Notice } from "../components/notice.tsx";
import { Row, Section } from "../components/section.tsx";
import { useText } from "../i18n/use-text.ts";
import { type Failure, failureOf, wordsFor } from "../network/failure.ts";
import { useConnection } from "../network/use-connection.ts";
import { useTelegram } from "../telegram/telegram-context.ts";
import { openWalletDocument } from "./open-document.ts";
import type { OnChain } from "./use-wallet.ts";

/** The wallet that this account has proven, if any: shown, replaced, forgotten. */
export function WalletSection({ onChain, changed }: { onChain: OnChain; changed: () => Promise<void> }) {
  const t = useText();
  const telegram = useTelegram();
  const connection = useConnection();
  const [asked, setAsked] = useState(false);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const { wallet } = onChain.earnings;
  if (!wallet) {
    return (
      <Section title={t("wallet-own")} footer={t("wallet-own-note")}>
        <Row icon="wallet" title={t("wallet-connect")} leads onClick={() => openWalletDocument("connect")} />
      </Section>
    );
  }
  const address = friendlyAddress(wallet.address, {
    bounceable: false,
    testOnly: onChain.settlement.globalId !== -239,
  });
  const forget = async () => {
    setBusy(true);
    setFailure(undefined);
    try {
      const { gateway, apiKey } = await connection.account();
      await new WalletClient({ gateway, apiKey }).forget();
      telegram?.haptic("success");
      await changed();
    } catch (error) {
      setFailure(failureOf(error));
    } finally {
      setBusy(false);
      setAsked(false);
    }
  };
  return (
    <>
      <Section title={t("wallet-own")}>
        <Row
          icon="wallet"
          tone="good"
          title={<code className="wallet-address">{shortAddress(address)}</code>}
          detail={t("wallet-proven")}
          value={<CopyButton text={address} label={t("wallet-copy")} />}
        />
        <Row icon="retry" title={t("wallet-replace")} leads onClick={() => openWalletDocument("connect")} />
        <Row icon="trash" tone="danger" title={t("wallet-forget")} onClick={() => setAsked(true)} />
      </Section>
      {asked && (
        <Notice
          tone="danger"
          title={t("wallet-forget-sure")}
          actions={
            <>
              <Button kind="danger" busy={busy} onClick={() => void forget()}>
                {t("wallet-forget")}
              </Button>
              <Button kind="plain" onClick={() => setAsked(false)}>
                {t("wallet-cancel")}
              </Button>
            </>
          }
        >
          {t("wallet-forget-text")}
        </Notice>
      )}
      {failure && (
        <Notice tone="danger" role="alert">
          {t(wordsFor(failure))}
        </Notice>
      )}
    </>
  );
}
