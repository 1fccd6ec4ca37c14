import { channelMessages } from "@bombyx/contracts/client-channel";
import { Address, internal } from "@ton/core";
import { ChainError } from "../chain/chain-error.ts";
import type { OperatorWallet } from "../chain/operator-wallet.ts";
import type { ChannelAccount } from "../ledger/channel-ledger.ts";
import type { Log } from "../log.ts";
import type { ChannelRecord } from "./channel-records.ts";

export interface RedeemerOptions {
  /** Anybody may redeem: it only pays the gas. */
  readonly wallet: Pick<OperatorWallet, "advance">;
  readonly redeemAboveNano: bigint;
  /** Has the channel looked at soon: money is on its way. */
  readonly watch: (address: string) => void;
  readonly log: Log;
}

/** What a redeem may need at prices six times today's; the rest comes back. */
const attachedNano = 30_000_000n;
/** Of one voucher: orders that the chain took and that redeemed nothing. */
const triesMost = 3;
const stepsUnderWay = 4;

interface Due {
  readonly record: ChannelRecord;
  readonly totalNano: bigint;
  readonly signature: string;
  /** Orders of this voucher that the wallet sent and that changed nothing. */
  tries: number;
  /** Steps until the next try: the message is on its way. */
  rest: number;
}

/**
 * Brings vouchers to the chain: by threshold, and at once when a channel closes or its key was rotated. A total is
 * redeemed once however often it is sent, and what is due follows from the ledger's voucher and the chain alone, so a
 * process that was killed anywhere goes on where it was.
 */
export class Redeemer {
  readonly #options: RedeemerOptions;
  readonly #due = new Map<string, Due>();
  #stepping: Promise<void> | undefined;

  constructor(options: RedeemerOptions) {
    this.#options = options;
  }

  /** Vouchers that are on their way. */
  get due(): number {
    return this.#due.size;
  }

  /** A channel or its voucher changed. @param aboveNano @default the threshold of the settings */
  consider(
    record: ChannelRecord,
    { voucher, depositedNano }: ChannelAccount,
    aboveNano = this.#options.redeemAboveNano,
  ): void {
    const { address, state, history, voucherKey } = record;
    const before = this.#due.get(address);
    const brings = voucher === null ? 0n : min(voucher.totalNano, depositedNano) - history.redeemedNano;
    if (voucher === null || brings <= 0n || state === "closed" || state === "unopened") {
      this.#due.delete(address);
      return;
    }
    const urgent = state === "closing" || voucher.voucherKey !== voucherKey;
    // What was begun is brought to its end, with the total of then.
    if (
      before &&
      before.totalNano - history.redeemedNano > 0n &&
      !(urgent && voucher.totalNano > before.totalNano)
    ) {
      this.#due.set(address, { ...before, record });
      return;
    }
    if (!urgent && brings < aboveNano) {
      this.#due.delete(address);
      return;
    }
    const { totalNano, signature } = voucher;
    this.#due.set(address, { record, totalNano, signature, tries: 0, rest: 0 });
  }

  /** Sends, or follows, one message after the other; called every now and then. A second call joins the first. */
  step(): Promise<void> {
    this.#stepping ??= this.#step().finally(() => {
      this.#stepping = undefined;
    });
    return this.#stepping;
  }

  async #step(): Promise<void> {
    const { wallet, watch, log } = this.#options;
    for (const [address, due] of [...this.#due]) {
      const { totalNano, signature, tries } = due;
      if (due.rest-- > 0) {
        watch(address);
        continue;
      }
      const id = `redeem:${address}:${totalNano}:${tries}`;
      try {
        const status = await wallet.advance(id, () => [
          internal({
            to: Address.parse(address),
            value: attachedNano,
            bounce: true,
            body: channelMessages.redeem(totalNano, Buffer.from(signature, "hex")),
          }),
        ]);
        watch(address);
        if (status.state !== "done") continue;
        // The wallet has sent it; whether the channel took it, its next look tells.
        due.tries++;
        due.rest = stepsUnderWay;
        if (due.tries < triesMost) continue;
        log.error({ channel: address, totalNano: `${totalNano}` }, "a voucher could not be redeemed");
        this.#due.delete(address);
      } catch (error) {
        if (!(error instanceof ChainError)) throw error;
        log.warn({ channel: address, answers: error.answers }, error.message);
        return;
      }
    }
  }
}

const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);
