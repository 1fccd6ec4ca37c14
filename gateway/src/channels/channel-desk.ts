import type { KeyObject } from "node:crypto";
import { setTimeout as after } from "node:timers/promises";
import { BombyxError, type ChannelMoney, type ClosingApproval } from "@bombyx/protocol/wire";
import type { Address } from "@ton/core";
import type { Kysely } from "kysely";
import type { Principal } from "../accounts/accounts.ts";
import type { OperatorWallet } from "../chain/operator-wallet.ts";
import type { TonEndpoints } from "../chain/ton-endpoints.ts";
import { channelAccount } from "../ledger/channel-ledger.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Log } from "../log.ts";
import type { SettlementConfig } from "../settlement/settlement-config.ts";
import type { StoreSchema } from "../store/schema.ts";
import { ChannelRecords } from "./channel-records.ts";
import { Channels } from "./channels.ts";
import { Closings } from "./closing.ts";
import { Redeemer } from "./redeemer.ts";
import { defaultVoucherTerms } from "./voucher-terms.ts";

export interface ChannelDeskParts {
  readonly config: SettlementConfig;
  /** The settlement's own. */
  readonly chain: {
    readonly endpoints: TonEndpoints;
    readonly wallet: OperatorWallet;
    readonly vault: Address;
    readonly ackKey: KeyObject;
  };
  readonly db: Kysely<StoreSchema>;
  readonly ledger: Ledger;
  readonly log: Log;
  readonly now: () => number;
}

/** Everything about channels, put together, and looked after while the gateway runs. */
export class ChannelDesk {
  readonly channels: Channels;
  readonly #parts: ChannelDeskParts;
  readonly #records: ChannelRecords;
  readonly #closings: Closings;
  readonly #redeemer: Redeemer;
  readonly #stopping = new AbortController();
  #loop: Promise<void> = Promise.resolve();

  static async open(parts: ChannelDeskParts): Promise<ChannelDesk> {
    return new ChannelDesk(parts, await ChannelRecords.open(parts.db));
  }

  private constructor(parts: ChannelDeskParts, records: ChannelRecords) {
    const { config, chain, ledger, log, now } = parts;
    const { endpoints, wallet, vault, ackKey } = chain;
    const { globalId, gramPayments, channels: terms = defaultVoucherTerms } = config;
    this.#parts = parts;
    this.#records = records;
    this.#redeemer = new Redeemer({
      wallet,
      redeemAboveNano: terms.redeemAboveNano,
      watch: (address) => this.channels.watch(address),
      log,
    });
    this.channels = new Channels({
      records,
      ledger,
      endpoints,
      globalId,
      vault: vault.toRawString(),
      terms,
      gramPayments,
      onChange: (record, account) => this.#redeemer.consider(record, account),
      log,
      now,
    });
    this.#closings = new Closings({ ledger, globalId, vault, ackKey, now });
  }

  start(): void {
    this.#loop = this.#run();
  }

  /** Resolves when nothing of it runs any more; the ledger and the store may be closed then. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
  }

  /** @throws BombyxError of `Closings.approve`; FORBIDDEN, CHANNEL_UNKNOWN. */
  async approveClosing(principal: Principal, address: string): Promise<ClosingApproval> {
    this.channels.assertManages(principal);
    const { state } = this.channels.find(principal.account, address);
    if (state !== "open") {
      throw new BombyxError("CHANNEL_CLOSING", "Only an open channel is closed together.", {
        field: "channel",
      });
    }
    this.channels.watch(address);
    return await this.#closings.approve(address);
  }

  /** The account's newest channel that is not closed, for the sum of its money; null without one. */
  async moneyOf({ account }: Principal): Promise<ChannelMoney | null> {
    const known = await this.channels.list(account);
    const channel = known.find(({ state }) => state !== "closed") ?? known[0];
    if (!channel) return null;
    const { address, state, depositNano, redeemedNano, spentNano, reservedNano, closesAt, voucher } = channel;
    const signedNano = voucher?.total ?? "0";
    return { address, state, depositNano, redeemedNano, signedNano, spentNano, reservedNano, closesAt };
  }

  /** Brings every voucher to the vault, however small: an epoch waits for the money. */
  async redeemAll(): Promise<void> {
    for (const record of this.#records.all()) {
      const account = await this.#parts.ledger.channelAccount(channelAccount(record.address));
      if (account) this.#redeemer.consider(record, account, 1n);
    }
  }

  async #run(): Promise<void> {
    const { config, log } = this.#parts;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await this.channels.poll();
        await this.#redeemer.step();
      } catch (error) {
        log.error({ err: error }, "channels could not go on");
      }
      await after(config.pollMs, undefined, { signal }).catch(() => undefined);
    }
  }
}
