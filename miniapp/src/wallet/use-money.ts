import type { AccountMoney, AccountReceipts, AccountStatement, Spending } from "@bombyx/sdk/account";
import { useCallback } from "react";
import { type Live, useLive } from "../live/use-live.ts";
import { useAccountClient } from "./use-wallet.ts";

export interface Money {
  readonly money: AccountMoney;
  readonly spending: Spending;
  readonly statement: AccountStatement;
  readonly receipts: AccountReceipts;
}

const shownLines = 20;

/** What the account has, spent and was billed, live. */
export function useMoney(): Live<Money> {
  const client = useAccountClient();
  const load = useCallback(
    async (signal: AbortSignal): Promise<Money> => {
      const account = await client();
      const [money, spending, statement, receipts] = await Promise.all([
        account.money({ signal }),
        account.spending({ signal }),
        account.statement({ signal, limit: 100 }),
        account.receipts({ signal, limit: shownLines }),
      ]);
      return { money, spending, statement, receipts };
    },
    [client],
  );
  return useLive(load, 10_000);
}
