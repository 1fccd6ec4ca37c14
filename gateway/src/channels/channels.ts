import { domainBytes } from "@bombyx/protocol/receipt";
import {
  BombyxError,
  type Channel,
  type ChannelRequest,
  channelLimits,
  channelProofDomain,
  limits,
  type Voucher,
} from "@bombyx/protocol/wire";
import { Address, type Transaction } from "@ton/core";
import type { Principal } from "../accounts/accounts.ts";
import { AccountWatcher } from "../chain/account-watcher.ts";
import { ChainError } from "../chain/chain-error.ts";
import { placeOf, type TonEndpoints } from "../chain/ton-endpoints.ts";
import { type ChannelAccount, channelAccount, neverAgain } from "../ledger/channel-ledger.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Log } from "../log.ts";
import { afterTransaction, emptyHistory } from "./channel-history.ts";
import type { ChannelRecord, ChannelRecords } from "./channel-records.ts";
import { channelOf, readChannel } from "./channel-state.ts";
import { SignatureCheck } from "./signature-check.ts";
import { checkVoucher } from "./voucher-check.ts";
import { unsignedLimitOf, type VoucherTerms } from "./voucher-terms.ts";

export interface ChannelsOptions {
  readonly records: ChannelRecords;
  readonly ledger: Ledger;
  readonly endpoints: TonEndpoints;
  readonly globalId: number;
  /** Raw address. */
  readonly vault: string;
  readonly terms: VoucherTerms;
  /** Whether people may pay in GRAM from the Mini App: the operator's switch. */
  readonly gramPayments: boolean;
  /** Told when a channel's voucher, key or state changed. */
  readonly onChange: (record: ChannelRecord, account: ChannelAccount) => void;
  readonly log: Log;
  readonly now: () => number;
}

/** A channel that nobody opened is forgotten. */
const unopenedMs = 24 * 3_600_000;
/** A quiet channel is looked at once in so many rounds. */
const quietRounds = 20;
/** Channels looked at at the same time. */
const atOnce = 4;

/**
 * Accounts' own deposits (SETTLEMENT "Contracts" 1): whose they are, what the chain says of them, vouchers, and which
 * of them pays. Money that was paid in is believed only as the channel's own transactions, from its first one on.
 */
export class Channels {
  readonly #options: ChannelsOptions;
  readonly #signatures = new SignatureCheck();
  readonly #watchers = new Map<string, AccountWatcher>();
  readonly #busy = new Set<string>();
  #round = 0;

  constructor(options: ChannelsOptions) {
    this.#options = options;
    // What an earlier process left undone is found at the first look.
    for (const { address } of options.records.all()) this.watch(address);
  }

  get vault(): string {
    return this.#options.vault;
  }

  get globalId(): number {
    return this.#options.globalId;
  }

  /**
   * Whose money a caller's requests are: an open channel of the account's own, if any.
   * @param named the channel that the caller wants to pay by; it is taken only when it is the account's.
   */
  payerOf(principal: Principal, named?: string): string | undefined {
    if (!this.#mayPay(principal)) return undefined;
    if (named !== undefined) {
      const record = this.#options.records.get(named);
      return record?.account === principal.account && record.proven ? channelAccount(named) : undefined;
    }
    // A bot asks in its developer's or a person's name, and has not their voucher key.
    if (principal.botId !== undefined) return undefined;
    const open = this.#options.records
      .of(principal.account)
      .find(({ state, proven }) => proven && state === "open");
    return open && channelAccount(open.address);
  }

  /**
   * The account pays by this channel from now on, as soon as the chain says that it is open with that key.
   * @throws BombyxError FORBIDDEN, VOUCHER_SIGNATURE (the proof), ALREADY_USED (another account's), RATE_LIMITED.
   */
  async register(principal: Principal, request: ChannelRequest): Promise<Channel> {
    const { records, globalId, vault, now } = this.#options;
    this.assertManages(principal);
    const { account } = principal;
    const { owner, salt, voucherKey, at, signature } = request;
    const address = channelOf({ owner, vault, salt }).address.toRawString();
    if (Math.abs(now() - at) > channelLimits.proofMs + limits.clockSkewMs) {
      throw new BombyxError(
        "BAD_REQUEST",
        "The proof was signed more than five minutes ago: sign a new one.",
        {
          field: "at",
        },
      );
    }
    const proof = domainBytes(channelProofDomain, { account, channel: address, globalId, vault, at });
    if (!this.#signatures.isSigned(proof, signature, voucherKey)) {
      throw new BombyxError(
        "VOUCHER_SIGNATURE",
        "The voucher key has not signed that this account pays by this channel.",
        { field: "signature" },
      );
    }
    const known = records.get(address);
    if (known) this.#assertRebinds(known, account, voucherKey);
    else if (records.of(account).filter(({ state }) => state !== "closed").length >= channelLimits.channels) {
      throw new BombyxError("RATE_LIMITED", `An account has at most ${channelLimits.channels} channels.`);
    }
    const record: ChannelRecord = {
      address,
      owner,
      salt,
      state: "unopened",
      voucherKey: null,
      previousKey: null,
      closesAt: null,
      cursor: null,
      history: emptyHistory,
      ...known,
      account,
      registeredAt: known?.account === account ? known.registeredAt : now(),
      provenKey: voucherKey,
      proven: known?.account === account && known.proven,
    };
    if (takesKey(record, voucherKey)) record.proven = true;
    await records.keep(record);
    await this.#lookSafely(address);
    return await this.view(records.get(address) ?? record);
  }

  async list(account: string): Promise<Channel[]> {
    const own = this.#options.records.of(account);
    // Whoever looks waits for something: it is looked for at the next round.
    for (const { address } of own) this.watch(address);
    return await Promise.all(own.map((record) => this.view(record)));
  }

  /** @throws BombyxError CHANNEL_UNKNOWN unless it is this account's. */
  find(account: string, address: string): ChannelRecord {
    const record = this.#options.records.get(address);
    if (record?.account === account) return record;
    throw new BombyxError("CHANNEL_UNKNOWN", "This account has no such channel: register it first.", {
      field: "channel",
    });
  }

  /**
   * Keeps a voucher. The same again, also at the same moment, changes nothing.
   * @throws BombyxError of `checkVoucher`, CHANNEL_UNKNOWN, VOUCHER_LOWER, VOUCHER_ABOVE_DEPOSIT.
   */
  async acceptVoucher(account: string, address: string, voucher: Voucher): Promise<Channel> {
    const { globalId, vault, ledger, now } = this.#options;
    const record = this.find(account, address);
    const { voucherKey, previousKey } = record;
    checkVoucher(
      voucher,
      { globalId, vault, channel: address, voucherKey, previousKey },
      this.#signatures,
      now(),
    );
    const kept = await ledger.acceptVoucher({
      account: channelAccount(address),
      totalNano: BigInt(voucher.total),
      voucherKey: voucher.voucherKey,
      signature: voucher.signature,
    });
    // A channel in use is looked at often: its owner may ask to close it.
    this.watch(address);
    const raised = await this.#raiseLimit(kept);
    this.#options.onChange(record, raised);
    return await this.view(record, raised);
  }

  /** As the API tells it. */
  async view(record: ChannelRecord, known?: ChannelAccount): Promise<Channel> {
    const { ledger, globalId, vault, terms } = this.#options;
    const { address: channel } = record;
    const money = known ?? (await ledger.channelAccount(channelAccount(channel)));
    const paused = money && money.pausedUntilAt !== neverAgain ? money.pausedUntilAt : 0;
    const { voucher } = money ?? {};
    return {
      address: channel,
      owner: record.owner,
      salt: record.salt,
      state: record.state,
      voucherKey: record.voucherKey,
      previousKey: record.previousKey,
      depositNano: `${money?.depositedNano ?? 0n}`,
      spentNano: `${money?.spentNano ?? 0n}`,
      reservedNano: `${money?.reservedNano ?? 0n}`,
      availableNano: `${money?.availableNano ?? 0n}`,
      voucher: voucher
        ? {
            globalId,
            channel,
            vault,
            total: `${voucher.totalNano}`,
            voucherKey: voucher.voucherKey,
            signature: voucher.signature,
          }
        : null,
      redeemedNano: `${record.history.redeemedNano}`,
      unsignedLimitNano: `${money?.unsignedLimitNano ?? terms.unsignedLimitNano}`,
      closesAt: record.closesAt,
      pausedUntilAt: paused > this.#options.now() ? paused : null,
    };
  }

  /** Looks at the chain: at channels in use every time, at quiet ones now and then. */
  async poll(): Promise<void> {
    const { records, now } = this.#options;
    this.#round++;
    const due = records.all().filter((record, n) => {
      if (record.state === "closed" && record.history.balanceNano === 0n) return false;
      return (
        this.#busy.has(record.address) ||
        record.state !== "open" ||
        this.#round % quietRounds === n % quietRounds
      );
    });
    this.#busy.clear();
    for (let from = 0; from < due.length; from += atOnce) {
      await Promise.all(due.slice(from, from + atOnce).map(({ address }) => this.#lookSafely(address)));
    }
    for (const record of records.all()) {
      if (record.state === "unopened" && record.cursor === null && now() - record.registeredAt > unopenedMs) {
        await records.forget(record.address);
        this.#watchers.delete(record.address);
      }
    }
  }

  /** Its next look is soon: something is on its way to it or from it. */
  watch(address: string): void {
    this.#busy.add(address);
  }

  /**
   * Brings one channel up to what two endpoints agree about.
   * @throws ChainError when they do not; nothing has changed then.
   */
  async look(address: string): Promise<void> {
    const { endpoints, records } = this.#options;
    await this.#watcher(address).poll();
    const record = records.get(address);
    if (!record) return;
    const account = await endpoints.account(Address.parse(address));
    // It moved on between the two looks: the next one sees both.
    if (account.last?.hash !== record.cursor?.hash) return this.watch(address);
    const chain = await readChannel(Address.parse(address), account);
    if (!chain) return;
    const { balanceNano, redeemedNano } = record.history;
    if (account.balanceNano !== balanceNano || chain.redeemedNano !== redeemedNano) {
      // Nothing is credited by a reading of ours that the contract itself contradicts.
      throw new Error(
        `${address}: its transactions make ${balanceNano} nanoTON and ${redeemedNano} redeemed`,
      );
    }
    const next: ChannelRecord = {
      ...record,
      state: chain.state,
      voucherKey: chain.voucherKey?.toString("hex") ?? null,
      previousKey: chain.previousKey
        ? { key: chain.previousKey.key.toString("hex"), untilAt: chain.previousKey.untilAt }
        : null,
      closesAt: chain.closesAt ?? null,
    };
    next.proven ||= takesKey(next, next.provenKey);
    await this.#book(next);
    await records.keep(next);
  }

  async #lookSafely(address: string): Promise<void> {
    try {
      await this.look(address);
    } catch (error) {
      this.watch(address);
      if (error instanceof ChainError) {
        this.#options.log.warn({ channel: address, answers: error.answers }, error.message);
      } else this.#options.log.error({ err: error, channel: address }, "a channel could not be read");
    }
  }

  #watcher(address: string): AccountWatcher {
    let watcher = this.#watchers.get(address);
    if (!watcher) {
      watcher = new AccountWatcher({
        endpoints: this.#options.endpoints,
        address: Address.parse(address),
        cursor: this.#options.records.get(address)?.cursor ?? null,
        onTransactions: (transactions) => this.#apply(address, transactions),
      });
      this.#watchers.set(address, watcher);
    }
    return watcher;
  }

  /** Deposits, each under the transaction that brought it. Told twice, the ledger has them once. */
  async #apply(address: string, transactions: readonly Transaction[]): Promise<void> {
    const { ledger, records, now } = this.#options;
    const record = records.get(address);
    if (!record) return;
    const account = channelAccount(address);
    let { history, cursor } = record;
    for (const transaction of transactions) {
      const before = history;
      history = afterTransaction(before, transaction);
      cursor = placeOf(transaction);
      if (history.depositNano > before.depositNano) {
        const key = `${transaction.lt}`;
        await ledger.creditChannel({ account, depositedNano: history.depositNano, key, at: now() });
      }
    }
    if (history.depositNano > 0n) {
      await ledger.redeemedFromChannel({ account, totalNano: history.redeemedNano });
    }
    await records.keep({ ...record, history, cursor });
  }

  /** The ledger serves a channel while it is open, and lets go of what its owner took out. */
  async #book(record: ChannelRecord): Promise<void> {
    const { ledger, now } = this.#options;
    const account = channelAccount(record.address);
    let money = await ledger.channelAccount(account);
    if (!money) return;
    const serves = record.state === "open" && record.proven;
    const served = money.pausedUntilAt !== neverAgain;
    if (serves !== served) {
      money = await ledger.setChannelTerms({
        account,
        unsignedLimitNano: unsignedLimitOf(this.#options.terms, money.signedNano),
        pausedUntilAt: serves ? 0 : neverAgain,
      });
    }
    if (record.state === "closed" && money.availableNano > 0n) {
      const key = `${record.cursor?.lt}/${money.withdrawnNano}`;
      money = await ledger.drainChannel({ account, key, at: now() });
    }
    this.#options.onChange(record, money);
  }

  /** Whoever has paid much is trusted with a little more. */
  async #raiseLimit(money: ChannelAccount): Promise<ChannelAccount> {
    const unsignedLimitNano = unsignedLimitOf(this.#options.terms, money.signedNano);
    if (unsignedLimitNano <= money.unsignedLimitNano) return money;
    const { account, pausedUntilAt } = money;
    return await this.#options.ledger.setChannelTerms({ account, unsignedLimitNano, pausedUntilAt });
  }

  #mayPay({ kind }: Principal): boolean {
    return kind === "key" || (kind === "person" && this.#options.gramPayments);
  }

  /** @throws BombyxError FORBIDDEN for who may not manage channels. */
  assertManages(principal: Principal): void {
    if (principal.kind === "key" && principal.botId === undefined) return;
    if (principal.kind === "person" && this.#options.gramPayments) return;
    throw new BombyxError(
      "FORBIDDEN",
      principal.kind === "person"
        ? "This gateway's operator takes no GRAM for answers inside the Mini App."
        : "Channels are managed with a developer's own API key or from the Mini App; not with a bot's key.",
    );
  }

  /** Whose channel it is, the chain decides by its key; before that, nothing is at stake. */
  #assertRebinds(known: ChannelRecord, account: string, voucherKey: string): void {
    if (known.account === account || !known.proven) return;
    if (known.voucherKey === voucherKey && known.provenKey !== voucherKey) return;
    throw new BombyxError("ALREADY_USED", "Another account pays by this channel: rotate its key to move it.");
  }
}

const takesKey = ({ voucherKey, previousKey }: ChannelRecord, key: string): boolean =>
  key === voucherKey || key === previousKey?.key;
