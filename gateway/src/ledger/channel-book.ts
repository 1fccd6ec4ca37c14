import type { DatabaseSync } from "node:sqlite";
import { BombyxError } from "@bombyx/protocol/wire";
import type { Balances } from "./balances.ts";
import { type ChannelAccount, isChannelAccount, type KeptVoucher, neverAgain } from "./channel-ledger.ts";
import { type ChannelRow, type ChannelStatements, channelStatements } from "./channel-statements.ts";
import { assertNano, worldAccount } from "./money.ts";

/** When a client that has signed all it owes, and only has much running, may try again. */
const runningRetryMs = 500;

/** The ledger's decisions about channels, on an open transaction; contracts are those of `ChannelLedger`. */
export class ChannelBook {
  readonly #statements: ChannelStatements;
  readonly #balances: Balances;

  constructor(database: DatabaseSync, balances: Balances) {
    this.#statements = channelStatements(database);
    this.#balances = balances;
  }

  creditChannel({
    account,
    depositedNano,
    key,
    at,
  }: {
    account: string;
    depositedNano: bigint;
    key: string;
    at: number;
  }): ChannelAccount {
    assertNano(depositedNano, "depositedNano");
    if (!isChannelAccount(account)) throw new Error(`${account} is no channel's account`);
    const row = this.#statements.channel.get({ account }) ?? unknown(account);
    const nano = depositedNano - row.deposited_nano;
    if (nano > 0n) {
      this.#move(`deposit:${account}:${key}`, worldAccount, account, nano, at);
      row.deposited_nano = depositedNano;
    }
    return this.#save(row);
  }

  redeemedFromChannel({ account, totalNano }: { account: string; totalNano: bigint }): ChannelAccount {
    assertNano(totalNano, "totalNano");
    const row = this.#known(account);
    // A payment that the vault refused comes back, so this may fall; what was signed stays signed.
    row.redeemed_nano = totalNano;
    return this.#save(row);
  }

  acceptVoucher({ account, totalNano, voucherKey, signature }: KeptVoucher & { account: string }) {
    const row = this.#known(account);
    const before = signedOf(row);
    if (totalNano < before) {
      throw new BombyxError(
        "VOUCHER_LOWER",
        `This voucher's total of ${totalNano} nanoTON is below the ${before} signed already: a total only grows.`,
        { field: "total", totalNano: before.toString() },
      );
    }
    if (totalNano > row.deposited_nano) {
      throw new BombyxError(
        "VOUCHER_ABOVE_DEPOSIT",
        `This voucher's total of ${totalNano} nanoTON is above the ${row.deposited_nano} that the channel has for it: top it up first.`,
        { field: "total" },
      );
    }
    if (totalNano === row.voucher_nano && row.voucher_key !== null) return this.#view(row);
    row.voucher_nano = totalNano;
    row.voucher_key = voucherKey;
    row.voucher_signature = signature;
    return this.#save(row);
  }

  setChannelTerms({
    account,
    unsignedLimitNano,
    pausedUntilAt,
  }: {
    account: string;
    unsignedLimitNano: bigint;
    pausedUntilAt: number;
  }): ChannelAccount {
    const row = this.#known(account);
    row.unsigned_limit_nano = unsignedLimitNano;
    row.paused_until = BigInt(pausedUntilAt);
    return this.#save(row);
  }

  drainChannel({ account, key, at }: { account: string; key: string; at: number }): ChannelAccount {
    const row = this.#known(account);
    const entryKey = `withdraw:${account}:${key}`;
    if (this.#statements.entry.get({ key: entryKey }) !== undefined) return this.#view(row);
    const { nano, reservedNano } = this.#balances.of(account);
    const available = nano - reservedNano;
    if (available > 0n) {
      this.#move(entryKey, account, worldAccount, available, at);
      row.withdrawn_nano += available;
    }
    return this.#save(row);
  }

  channelAccount(account: string): ChannelAccount | undefined {
    const row = this.#statements.channel.get({ account });
    return row && this.#view(row);
  }

  /**
   * Before anything is reserved: whether the channel is served at all, and whether enough of what it spent is signed.
   * What runs counts as spent, or a client that signs nothing could have its whole deposit running at once.
   * @throws BombyxError CHANNEL_UNKNOWN, CHANNEL_CLOSING, VOUCHER_REQUIRED naming the total to sign.
   */
  assertServed(account: string, at: number): void {
    if (!isChannelAccount(account)) return;
    const { spentNano, reservedNano, signedNano, unsignedLimitNano, pausedUntilAt } = this.#view(
      this.#known(account),
    );
    if (pausedUntilAt > at) {
      throw new BombyxError(
        "CHANNEL_CLOSING",
        pausedUntilAt === neverAgain
          ? "Nothing is served on a channel that closes: open another one, with another salt."
          : "An approval to close this channel is out: nothing is served until it was used or has expired.",
        pausedUntilAt === neverAgain ? {} : { retryAfterMs: pausedUntilAt - at },
      );
    }
    if (spentNano + reservedNano - signedNano < unsignedLimitNano) return;
    const owed = spentNano > signedNano;
    throw new BombyxError(
      "VOUCHER_REQUIRED",
      owed
        ? `This channel has spent ${spentNano} nanoTON, ${signedNano} are signed and at most ${unsignedLimitNano} may be unsigned: send a voucher for ${spentNano}.`
        : `Requests that run already may cost the ${unsignedLimitNano} nanoTON that may be unsigned: wait for one to end.`,
      { totalNano: spentNano.toString(), ...(!owed && { retryAfterMs: runningRetryMs }) },
    );
  }

  #known(account: string): ChannelRow {
    const row = this.#statements.channel.get({ account });
    if (row === undefined) {
      throw new BombyxError("CHANNEL_UNKNOWN", `Nothing was paid into ${account} yet.`, { field: "channel" });
    }
    return row;
  }

  #save(row: ChannelRow): ChannelAccount {
    this.#statements.saveChannel.run(row);
    return this.#view(row);
  }

  #view(row: ChannelRow): ChannelAccount {
    const { nano, reservedNano } = this.#balances.of(row.account);
    const { voucher_nano: totalNano, voucher_key: voucherKey, voucher_signature: signature } = row;
    return {
      account: row.account,
      depositedNano: row.deposited_nano,
      withdrawnNano: row.withdrawn_nano,
      spentNano: row.deposited_nano - row.withdrawn_nano - nano,
      reservedNano,
      availableNano: nano - reservedNano,
      signedNano: signedOf(row),
      redeemedNano: row.redeemed_nano,
      voucher: voucherKey === null || signature === null ? null : { totalNano, voucherKey, signature },
      unsignedLimitNano: row.unsigned_limit_nano,
      pausedUntilAt: Number(row.paused_until),
    };
  }

  #move(key: string, account: string, counterAccount: string, nano: bigint, at: number): void {
    this.#statements.insertEntry.run({ key, account, counterAccount, nano, at: BigInt(at) });
    this.#balances.move(account, counterAccount, nano);
  }
}

const signedOf = ({ voucher_nano, redeemed_nano }: ChannelRow): bigint =>
  voucher_nano > redeemed_nano ? voucher_nano : redeemed_nano;

/** Not served before its terms are set. */
const unknown = (account: string): ChannelRow => ({
  account,
  deposited_nano: 0n,
  withdrawn_nano: 0n,
  redeemed_nano: 0n,
  voucher_nano: 0n,
  voucher_key: null,
  voucher_signature: null,
  unsigned_limit_nano: 0n,
  paused_until: BigInt(neverAgain),
});
