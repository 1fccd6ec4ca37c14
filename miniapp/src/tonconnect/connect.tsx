import { friendlyAddress, shortAddress } from "@bombyx/sdk/wallet";
import type { WalletInfo } from "@tonconnect/sdk";
import { useEffect, useRef, useState } from "react";
import { Button } from "../components/button.tsx";
import { Notice } from "../components/notice.tsx";
import { Row, Section } from "../components/section.tsx";
import { Skeleton } from "../components/skeleton.tsx";
import { useText } from "../i18n/use-text.ts";
import { type Failure, failureOf, wordsFor } from "../network/failure.ts";
import { useTelegram } from "../telegram/telegram-context.ts";
import { type Connected, WalletRefusal } from "./connector.ts";
import { LinkToWallet } from "./link-to-wallet.tsx";
import type { Desk } from "./wallet-document.tsx";

type State =
  | { readonly at: "choosing" }
  | { readonly at: "asking"; readonly wallet: WalletInfo; readonly link?: string }
  | { readonly at: "proving"; readonly wallet: WalletInfo }
  | { readonly at: "done"; readonly connected: Connected }
  | { readonly at: "refused"; readonly wallet: WalletInfo; readonly why: WalletRefusal["why"] }
  | { readonly at: "failed"; readonly wallet: WalletInfo; readonly failure: Failure };

/** Choose a wallet, agree in it, and the gateway checks what it signed. */
export function Connect({
  desk,
  platform,
  onConnected,
  done,
}: {
  desk: Desk;
  platform: string;
  onConnected: (connected: Connected) => void;
  /** Whether this was all that was to do. */
  done: boolean;
}) {
  const t = useText();
  const telegram = useTelegram();
  const { client, connector, settlement, bound } = desk;
  const [wallets, setWallets] = useState<readonly WalletInfo[]>();
  const [state, setState] = useState<State>({ at: "choosing" });
  const asked = useRef<AbortController>(undefined);
  useEffect(() => {
    connector.wallets().then(setWallets, () => setWallets([]));
    return () => asked.current?.abort();
  }, [connector]);

  const ask = async (wallet: WalletInfo) => {
    asked.current?.abort();
    const asking = new AbortController();
    asked.current = asking;
    const show = (next: State) => {
      if (!asking.signal.aborted) setState(next);
    };
    show({ at: "asking", wallet });
    try {
      const { payload } = await client.challenge({ signal: asking.signal });
      const { connected, proof } = await connector.connect(
        wallet,
        payload,
        (link) => show({ at: "asking", wallet, link }),
        asking.signal,
      );
      show({ at: "proving", wallet });
      await client.prove(proof, { signal: asking.signal });
      telegram?.haptic("success");
      show({ at: "done", connected });
      onConnected(connected);
    } catch (error) {
      if (asking.signal.aborted) return;
      telegram?.haptic("error");
      // A wallet that the gateway does not take must not look connected at the next visit.
      void connector.disconnect().catch(() => undefined);
      if (error instanceof WalletRefusal) show({ at: "refused", wallet, why: error.why });
      else show({ at: "failed", wallet, failure: failureOf(error) });
    }
  };
  const cancel = () => {
    asked.current?.abort();
    setState({ at: "choosing" });
  };

  if (state.at === "asking") {
    return (
      <Notice
        icon="clock"
        role="status"
        title={t("tc-asking", { wallet: state.wallet.name })}
        actions={
          <>
            {state.link && <LinkToWallet link={state.link} platform={platform} name={state.wallet.name} />}
            <Button kind="plain" onClick={cancel}>
              {t("tc-cancel")}
            </Button>
          </>
        }
      >
        {t("tc-asking-connect")}
      </Notice>
    );
  }
  if (state.at === "proving") return <Skeleton lines={2} label={t("tc-proving")} />;
  if (state.at === "done") {
    const address = friendlyAddress(state.connected.address, {
      bounceable: false,
      testOnly: settlement.globalId !== -239,
    });
    return done ? (
      <Notice tone="good" icon="check" role="status" title={t("tc-connected")}>
        {t("tc-connected-text", { wallet: state.connected.name, address: shortAddress(address) })}
      </Notice>
    ) : null;
  }
  return (
    <>
      {state.at === "refused" && (
        <Notice
          tone={state.why === "rejected" ? "warn" : "danger"}
          role="alert"
          title={t(`tc-refused-${state.why}`)}
          actions={
            <Button kind="plain" icon="retry" onClick={() => void ask(state.wallet)}>
              {t("tc-ask-again")}
            </Button>
          }
        >
          {t(`tc-refused-${state.why}-text`)}
        </Notice>
      )}
      {state.at === "failed" && (
        <Notice
          tone="danger"
          role="alert"
          title={t("tc-not-proven")}
          actions={
            <Button kind="plain" icon="retry" onClick={() => void ask(state.wallet)}>
              {t("tc-ask-again")}
            </Button>
          }
        >
          {t(wordsFor(state.failure))}
        </Notice>
      )}
      {bound && <Notice icon="shield">{t("tc-replaces")}</Notice>}
      {!wallets ? (
        <Skeleton lines={4} label={t("loading")} />
      ) : (
        <Section title={t("tc-choose")} footer={t("tc-choose-note")}>
          {wallets.map((wallet) => (
            <Row
              key={wallet.appName}
              icon="wallet"
              title={wallet.name}
              leads
              onClick={() => void ask(wallet)}
            />
          ))}
          {wallets.length === 0 && <Row icon="alert" title={t("tc-no-wallets")} />}
        </Section>
      )}
    </>
  );
}
