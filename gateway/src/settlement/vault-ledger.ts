import { nodeAccountOps } from "@bombyx/contracts/node-account";
import { exitCode } from "@bombyx/contracts/refusal";
import { vaultOps } from "@bombyx/contracts/vault-messages";
import type { Address, Cell, Transaction } from "@ton/core";
import type { Kysely } from "kysely";
import { AccountWatcher } from "../chain/account-watcher.ts";
import type { ChainStore } from "../chain/chain-store.ts";
import type { TonEndpoints } from "../chain/ton-endpoints.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { sponsorAccount } from "../ledger/money.ts";
import type { StoreSchema } from "../store/schema.ts";
import { sponsorName } from "./sponsor-name.ts";

/** What happened to a root, as the vault's transactions tell it. */
export interface RootNews {
  readonly kind: "refused" | "vetoed" | "disputed";
  readonly at: number;
  /** Exit code of a refused commit. */
  readonly code: number;
}

export interface VaultLedgerOptions {
  readonly db: Kysely<StoreSchema>;
  readonly chain: ChainStore;
  readonly endpoints: TonEndpoints;
  readonly vault: Address;
  readonly ledger: Pick<Ledger, "deposit">;
  readonly onRoot: (news: RootNews) => void;
}

/**
 * The vault's transactions as entries: sponsors' deposits are credited in the ledger, payouts are counted. Only what the
 * contract did counts, never what somebody says was sent. Replaying all of it gives the same.
 */
export class VaultLedger {
  readonly #options: VaultLedgerOptions;
  readonly #watcher: AccountWatcher;

  private constructor(options: VaultLedgerOptions, watcher: AccountWatcher) {
    this.#options = options;
    this.#watcher = watcher;
  }

  static async open(options: VaultLedgerOptions): Promise<VaultLedger> {
    const { endpoints, vault, chain } = options;
    const cursor = await chain.cursor(vault);
    const watcher: AccountWatcher = new AccountWatcher({
      endpoints,
      address: vault,
      cursor,
      onTransactions: async (transactions, next) => {
        await made.#keep(transactions);
        await chain.keepCursor(vault, next);
      },
    });
    const made = new VaultLedger(options, watcher);
    return made;
  }

  /** Reads what is new, and credits what can be. @throws ChainError */
  async poll(): Promise<void> {
    await this.#watcher.poll();
    await this.#credit();
  }

  async #keep(transactions: readonly Transaction[]): Promise<void> {
    const { db, onRoot } = this.#options;
    for (const transaction of transactions) {
      const { inMessage, lt } = transaction;
      if (inMessage?.info.type !== "internal") continue;
      const body = inMessage.body.beginParse();
      if (body.remainingBits < 96) continue;
      const op = body.loadUint(32);
      body.skip(64);
      const code = exitCode(transaction);
      const at = transaction.now * 1_000;
      if (op === vaultOps.commitEpoch) {
        if (code !== 0) onRoot({ kind: "refused", at, code: code ?? -1 });
        continue;
      }
      if (code !== 0) continue;
      if (op === vaultOps.sponsorDeposit) {
        const sponsor = body.loadBuffer(32).toString("hex");
        const nano = body.loadCoins();
        if (nano === 0n) continue;
        const row = { lt, sponsor, nano, at: BigInt(at), account: null };
        await db
          .insertInto("sponsor_deposits")
          .values(row)
          .onConflict((conflict) => conflict.column("lt").doNothing())
          .execute();
      } else if (op === nodeAccountOps.claimStep) {
        const nano = payoutIn(transaction);
        const account = inMessage.info.src.hash.toString("hex");
        if (nano === 0n) continue;
        await db
          .insertInto("payouts")
          .values({ lt, account, nano, at: BigInt(at) })
          .onConflict((conflict) => conflict.column("lt").doNothing())
          .execute();
      } else if (op === vaultOps.veto) onRoot({ kind: "vetoed", at, code: 0 });
      else if (op === vaultOps.dispute) onRoot({ kind: "disputed", at, code: 0 });
    }
  }

  /** Deposits for a developer that is not known yet wait until it is. */
  async #credit(): Promise<void> {
    const { db, ledger } = this.#options;
    const waiting = await db
      .selectFrom("sponsor_deposits")
      .selectAll()
      .where("account", "is", null)
      .orderBy("lt")
      .execute();
    if (waiting.length === 0) return;
    const developers = await db.selectFrom("api_keys").select("developer").distinct().execute();
    const accounts = new Map(
      developers.map(({ developer }) => [
        sponsorName(developer).toString(16).padStart(64, "0"),
        sponsorAccount(developer),
      ]),
    );
    for (const { lt, sponsor, nano, at } of waiting) {
      const account = accounts.get(sponsor);
      if (account === undefined) continue;
      // The transaction is the deposit's name: whatever dies in between, it is credited once.
      await ledger.deposit({ key: `vault:${lt}`, account, nano, at: Number(at) });
      await db.updateTable("sponsor_deposits").set({ account }).where("lt", "=", lt).execute();
    }
  }

  /** What each NodeAccount was paid; `account` is its address hash, hex. */
  async paidNano(accounts: readonly string[]): Promise<ReadonlyMap<string, bigint>> {
    if (accounts.length === 0) return new Map();
    const rows = await this.#options.db
      .selectFrom("payouts")
      .select((row) => ["account", row.fn.sum<bigint>("nano").as("nano")])
      .where("account", "in", accounts)
      .groupBy("account")
      .execute();
    return new Map(rows.map(({ account, nano }) => [account, nano]));
  }

  /** Payouts to these accounts since then. */
  async payoutsSince(
    accounts: readonly string[],
    since: number,
  ): Promise<readonly { nano: bigint; at: number }[]> {
    if (accounts.length === 0) return [];
    const rows = await this.#options.db
      .selectFrom("payouts")
      .select(["nano", "at"])
      .where("account", "in", accounts)
      .where("at", ">=", BigInt(since))
      .execute();
    return rows.map(({ nano, at }) => ({ nano, at: Number(at) }));
  }
}

function payoutIn({ outMessages }: Transaction): bigint {
  for (const { body } of outMessages.values()) {
    const nano = payoutOf(body);
    if (nano !== undefined) return nano;
  }
  return 0n;
}

function payoutOf(body: Cell): bigint | undefined {
  const slice = body.beginParse();
  if (slice.remainingBits < 100 || slice.loadUint(32) !== vaultOps.payout) return undefined;
  return slice.skip(64).loadCoins();
}
