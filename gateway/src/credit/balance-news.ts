import type { AccountEvent } from "@bombyx/protocol/wire";
import { developerAccount, personAccount } from "../accounts/names.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { CreditPolicy } from "./purses.ts";

export interface BalanceNewsOptions {
  readonly ledger: Pick<Ledger, "movedSince">;
  readonly policy: CreditPolicy;
  readonly tell: (event: Omit<AccountEvent, "id" | "at">) => void;
  /** Whether an account was told so lately, by this process or the one before it. */
  readonly toldLately: (account: string) => Promise<boolean>;
}

/** Entries that one look reads. */
const entriesMost = 5_000;

/**
 * Tells accounts once when what they can spend runs low, and again only after it was more. It follows the ledger's
 * entries, so that it costs what moved and nothing when nothing does.
 */
export class BalanceNews {
  readonly #options: BalanceNewsOptions;
  /** Of accounts that moved in this process: whether they are low now. */
  readonly #low = new Map<string, boolean>();
  #last: number | undefined;

  constructor(options: BalanceNewsOptions) {
    this.#options = options;
  }

  /** Called every few seconds; the first call only remembers where the ledger stands. */
  async check(): Promise<void> {
    const { ledger } = this.#options;
    if (this.#last === undefined) {
      this.#last = (await ledger.movedSince(Number.MAX_SAFE_INTEGER, 1)).last;
      return;
    }
    const { last, accounts } = await ledger.movedSince(this.#last, entriesMost);
    this.#last = last;
    for (const { account, availableNano } of accounts) await this.#judge(account, availableNano);
  }

  async #judge(payer: string, availableNano: bigint): Promise<void> {
    const { policy, tell, toldLately } = this.#options;
    const [kind, ...rest] = payer.split(":");
    const credit = kind === "credit";
    if (!credit && kind !== "sponsor") return;
    const low = availableNano < (credit ? policy.lowCreditNano : policy.lowDepositNano);
    const before = this.#low.get(payer);
    this.#low.set(payer, low);
    if (!low || before === true) return;
    const [bot = "", user = ""] = rest;
    const account = credit ? personAccount(BigInt(bot), BigInt(user)) : developerAccount(bot);
    if (before === undefined && (await toldLately(account))) return;
    tell({
      type: "balance.low",
      account,
      machine: null,
      node: null,
      name: credit ? "credit" : "deposit",
      message: `${availableNano} nanoTON of ${credit ? "bought credit" : "the deposit"} are left.`,
    });
  }
}
