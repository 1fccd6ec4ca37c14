import { defaultNodeCommand, type IssuedPairingCode, type Machine, nodeCommand } from "@bombyx/sdk/owner";
import { friendlyAddress } from "@bombyx/sdk/wallet";
import { Fragment, useEffect, useState } from "react";
import { CopyButton } from "../chat/copy-button.tsx";
import { Button } from "../components/button.tsx";
import { Notice } from "../components/notice.tsx";
import { useText } from "../i18n/use-text.ts";
import { type Deployment, readDeployment } from "../launch/deployment.ts";
import { type Failure, failureOf, wordsFor } from "../network/failure.ts";
import { openWalletDocument } from "../wallet/open-document.ts";
import type { OnChain } from "../wallet/use-wallet.ts";
import type { Owner } from "./use-owner.ts";

/** The code, large and with its time, and the line to paste; a new code when it is gone. */
export function PairingPanel({
  machine,
  code,
  now,
  onCode,
  act,
  onChain,
}: {
  machine: Machine;
  code: IssuedPairingCode | undefined;
  now: number;
  onCode: (code: IssuedPairingCode) => void;
  act: Owner["act"];
  onChain: OnChain | "off" | undefined;
}) {
  const t = useText();
  const deployment = useDeployment();
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  // Another code may have been made elsewhere, which ends this one.
  const lives = code !== undefined && code.expiresAt > now && machine.pairing?.expiresAt === code.expiresAt;
  const renew = async () => {
    setBusy(true);
    setFailure(undefined);
    try {
      onCode(await act((owner) => owner.newPairingCode(machine.id)));
    } catch (error) {
      setFailure(failureOf(error));
    } finally {
      setBusy(false);
    }
  };
  const command =
    deployment &&
    lives &&
    nodeCommand(deployment.nodeCommand ?? defaultNodeCommand, {
      gateway: deployment.gateway,
      code: code.code,
      payout: payoutAddress(onChain),
    });
  const isUnpaid = onChain !== undefined && onChain !== "off" && onChain.earnings.wallet === null;
  return (
    <section className="earn-pairing">
      {lives ? (
        <>
          <h3>{t("earn-code")}</h3>
          <p className="earn-code">
            <output>{code.code}</output>
          </p>
          <p className="earn-countdown" role="timer">
            {t("earn-code-left", { time: clock(code.expiresAt - now) })}
          </p>
          {command && (
            <>
              <h3>{t("earn-command")}</h3>
              <div className="earn-command">
                {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a long line is scrolled by keyboard, too */}
                <code tabIndex={0}>
                  {command.split(" ").map((word, at) => (
                    // biome-ignore lint/suspicious/noArrayIndexKey: a word is its place in the line
                    <Fragment key={at}>
                      {at > 0 && " "}
                      <span>{word}</span>
                    </Fragment>
                  ))}
                </code>
                <CopyButton text={command} label={t("earn-copy-command")} />
              </div>
              {isUnpaid && (
                <Notice
                  tone="warn"
                  icon="wallet"
                  actions={
                    <Button kind="plain" icon="wallet" onClick={() => openWalletDocument("connect")}>
                      {t("payout-connect-button")}
                    </Button>
                  }
                >
                  {t("earn-command-unpaid")}
                </Notice>
              )}
              <p className="earn-quiet">
                {t(command.startsWith("npm ") ? "earn-command-here" : "earn-command-does")}
              </p>
            </>
          )}
        </>
      ) : (
        <Notice
          icon="key"
          title={t(code ? "earn-code-over" : "earn-code-hidden")}
          actions={
            <Button icon="retry" busy={busy} onClick={() => void renew()}>
              {t("earn-new-code")}
            </Button>
          }
        >
          {t("earn-code-why")}
        </Notice>
      )}
      {failure && (
        <Notice tone="danger" role="alert">
          {t(wordsFor(failure))}
        </Notice>
      )}
    </section>
  );
}

/** The proven wallet, as people write it; none, and the machine is not paid. */
function payoutAddress(onChain: OnChain | "off" | undefined): string | undefined {
  if (onChain === undefined || onChain === "off" || onChain.earnings.wallet === null) return undefined;
  return friendlyAddress(onChain.earnings.wallet.address, {
    bounceable: false,
    testOnly: onChain.settlement.globalId !== -239,
  });
}

const clock = (ms: number): string => {
  const seconds = Math.max(0, Math.ceil(ms / 1_000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
};

function useDeployment(): Deployment | undefined {
  const [deployment, setDeployment] = useState<Deployment>();
  useEffect(() => {
    let gone = false;
    readDeployment().then(
      (read) => {
        if (!gone) setDeployment(read);
      },
      // The tab could not have come here without it; the code alone is shown.
      () => undefined,
    );
    return () => {
      gone = true;
    };
  }, []);
  return deployment;
}
