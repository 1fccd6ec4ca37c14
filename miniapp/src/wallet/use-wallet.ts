import { AccountClient } from "@bombyx/sdk/account";
import { type Earnings, type SettlementJson, WalletClient } from "@bombyx/sdk/wallet";
import { useCallback } from "react";
import { type Live, useLive } from "../live/use-live.ts";
import { failureOf } from "../network/failure.ts";
import { useConnection } from "../network/use-connection.ts";

/** What a gateway that settles on chain knows of this person; `undefined` at one that does not. */
export interface OnChain {
  readonly settlement: SettlementJson;
  readonly earnings: Earnings;
}

/** Earnings, wallet and roots, live. */
export function useOnChain(everyMs = 5_000): Live<OnChain | "off"> {
  const connection = useConnection();
  const load = useCallback(
    async (signal: AbortSignal): Promise<OnChain | "off"> => {
      const { gateway, apiKey } = await connection.account();
      const client = new WalletClient({ gateway, apiKey });
      try {
        const [settlement, earnings] = await Promise.all([
          client.settlement({ signal }),
          client.earnings({ signal }),
        ]);
        return { settlement, earnings };
      } catch (error) {
        if (failureOf(error).code === "NOT_FOUND") return "off";
        throw error;
      }
    },
    [connection],
  );
  return useLive(load, everyMs);
}

/** The door to the account's money. */
export function useAccountClient(): () => Promise<AccountClient> {
  const connection = useConnection();
  return useCallback(async () => {
    const { gateway, apiKey } = await connection.account();
    return new AccountClient({ gateway, apiKey });
  }, [connection]);
}
