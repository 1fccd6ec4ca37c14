import { type Earnings, type ProvenWallet, type SettlementJson, WalletClient } from "@bombyx/sdk/wallet";
import { useCallback, useEffect, useState } from "react";
import { Button } from "../components/button.tsx";
import { Notice } from "../components/notice.tsx";
import { Skeleton } from "../components/skeleton.tsx";
import { useText } from "../i18n/use-text.ts";
import { readDeployment } from "../launch/deployment.ts";
import { type Failure, failureOf, wordsFor } from "../network/failure.ts";
import { useConnection } from "../network/use-connection.ts";
import { useTelegram } from "../telegram/telegram-context.ts";
import { Claim } from "./claim.tsx";
import { Connect } from "./connect.tsx";
import { type Connected, Connector } from "./connector.ts";
import "./tonconnect.css";

/** Everything that the document needs before it can ask anything. */
export interface Desk {
  readonly client: WalletClient;
  readonly connector: Connector;
  readonly settlement: SettlementJson;
  readonly bound: ProvenWallet | undefined;
  readonly earnings: Earnings;
  /** A wallet of this page that still stands by its connection, and that the account has proven. */
  readonly restored: Connected | undefined;
}

type Doing = "connect" | "claim";

const wanted = new URLSearchParams(location.search);
const doing: Doing = wanted.get("do") === "claim" ? "claim" : "connect";
const home = doing === "claim" ? "./?tab=earn" : "./?tab=wallet";

/** One thing at a time: connect a wallet, or claim with it; then back to the tab that led here. */
export function WalletDocument({ platform, user }: { platform: string; user: number | undefined }) {
  const t = useText();
  const telegram = useTelegram();
  const { desk, failure, load } = useDesk(user);
  const [connected, setConnected] = useState<Connected>();
  const leave = useCallback(() => location.replace(home), []);
  useEffect(() => telegram?.showBack(leave), [telegram, leave]);
  const wallet = connected ?? desk?.restored;
  const claims = doing === "claim" && wallet !== undefined;
  return (
    <main className="page">
      <div className="page-scroll">
        <div className="page-column">
          <header>
            <h1>{t(claims ? "tc-claim-title" : "tc-connect-title")}</h1>
            <p>{t(claims ? "tc-claim-intro" : "tc-connect-intro")}</p>
          </header>
          {failure && (
            <Notice
              tone="danger"
              role="alert"
              title={t("tc-unreachable")}
              actions={
                <Button kind="plain" icon="retry" onClick={load}>
                  {t("try-again")}
                </Button>
              }
            >
              {t(wordsFor(failure))}
            </Notice>
          )}
          {!desk && !failure && <Skeleton lines={5} label={t("loading")} />}
          {desk && !claims && (
            <Connect desk={desk} platform={platform} onConnected={setConnected} done={doing === "connect"} />
          )}
          {desk && claims && <Claim desk={desk} wallet={wallet} />}
          <Button kind="plain" icon="back" wide onClick={leave}>
            {t("tc-back")}
          </Button>
        </div>
      </div>
    </main>
  );
}

function useDesk(user: number | undefined) {
  const connection = useConnection();
  const [state, setState] = useState<{ desk?: Desk; failure?: Failure }>({});
  const [tries, setTries] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another try is another load
  useEffect(() => {
    const gone = new AbortController();
    const { signal } = gone;
    const open = async (): Promise<Desk> => {
      const [{ gateway, apiKey }, { botUsername }] = await Promise.all([
        connection.account(),
        readDeployment(),
      ]);
      const client = new WalletClient({ gateway, apiKey });
      const [settlement, bound, earnings] = await Promise.all([
        client.settlement({ signal }),
        client.wallet({ signal }),
        client.earnings({ signal }),
      ]);
      const connector = new Connector({
        storage: quietly(() => localStorage),
        user,
        globalId: settlement.globalId,
        returnUrl: botUsername && `https://t.me/${botUsername}`,
      });
      // What is connected here and what the account has proven may be two wallets: then it is proven anew.
      const found = bound && (await connector.restored().catch(() => undefined));
      const restored = found?.address === bound?.address ? found : undefined;
      return { client, connector, settlement, bound, earnings, restored };
    };
    setState({});
    open().then(
      (desk) => {
        if (!signal.aborted) setState({ desk });
      },
      (error: unknown) => {
        if (!signal.aborted) setState({ failure: failureOf(error) });
      },
    );
    return () => gone.abort();
  }, [connection, user, tries]);
  return { ...state, load: () => setTries((before) => before + 1) };
}

function quietly<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
