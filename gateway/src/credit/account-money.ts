import type { AccountMoney, ChannelMoney } from "@bombyx/protocol/wire";
import type { Principal } from "../accounts/accounts.ts";
import { dayMs, dayOf } from "../ledger/credit.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Purses } from "./purses.ts";

export interface AccountMoneyParts {
  readonly ledger: Pick<Ledger, "funds">;
  readonly purses: Purses;
  /** The account's own channel; null for one that has none. */
  readonly channelOf: (principal: Principal) => Promise<ChannelMoney | null>;
  readonly gramPayments: boolean;
  readonly now: () => number;
}

/** What an account can spend, purse by purse. A person does not see what the sponsor has. */
export async function accountMoney(
  principal: Principal,
  { ledger, purses, channelOf, gramPayments, now }: AccountMoneyParts,
): Promise<AccountMoney> {
  const at = now();
  const person = purses.of(principal);
  const { account, payer } = principal;
  const funds = await ledger.funds({ payer, ...(person && { person }), at });
  const own = person === undefined;
  return {
    account,
    payer: person === undefined ? payer : person.credit,
    balanceNano: own ? `${funds.availableNano}` : null,
    reservedNano: own ? `${funds.reservedNano}` : null,
    allowance:
      person === undefined
        ? null
        : {
            limitNano: `${person.allowanceNano}`,
            usedNano: `${funds.allowanceUsedNano}`,
            leftNano: `${allowanceLeft(person.allowanceNano, funds.allowanceUsedNano, funds.availableNano)}`,
            resetsAt: (dayOf(at) + 1) * dayMs,
          },
    starsNano: `${funds.creditNano}`,
    starsReservedNano: `${funds.creditReservedNano}`,
    channel: await channelOf(principal),
    gramPayments,
  };
}

/** A promise is worth what its sponsor has. */
export function allowanceLeft(limitNano: bigint, usedNano: bigint, sponsorNano: bigint): bigint {
  const left = limitNano > usedNano ? limitNano - usedNano : 0n;
  return left < sponsorNano ? left : sponsorNano;
}

/** What the account's next request may cost at most, whichever purse pays it. */
export async function spendable(
  principal: Principal,
  { ledger, purses, now }: Pick<AccountMoneyParts, "ledger" | "purses" | "now">,
): Promise<{ availableNano: bigint; reservedNano: bigint }> {
  const person = purses.of(principal);
  const funds = await ledger.funds({ payer: principal.payer, ...(person && { person }), at: now() });
  if (person === undefined) return funds;
  const { availableNano, allowanceUsedNano, creditNano, creditReservedNano } = funds;
  return {
    availableNano: allowanceLeft(person.allowanceNano, allowanceUsedNano, availableNano) + creditNano,
    reservedNano: creditReservedNano,
  };
}
