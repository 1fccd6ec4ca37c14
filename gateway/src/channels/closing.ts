import { type KeyObject, sign } from "node:crypto";
import { channelMessages } from "@bombyx/contracts/client-channel";
import { closingHash } from "@bombyx/contracts/vault-messages";
import { BombyxError, type ClosingApproval, channelLimits } from "@bombyx/protocol/wire";
import { Address } from "@ton/core";
import { type ChannelAccount, channelAccount, neverAgain } from "../ledger/channel-ledger.ts";
import type { Ledger } from "../ledger/ledger.ts";

export interface ClosingOptions {
  readonly ledger: Ledger;
  readonly globalId: number;
  readonly vault: Address;
  /** The vault's ack key. */
  readonly ackKey: KeyObject;
  readonly now: () => number;
}

/** Attached by the owner: pays for channel, vault and the way back at prices six times today's; the rest comes back. */
const attachedNano = 30_000_000n;
/** The owner's message may be on its way when the approval ends, and clocks differ. */
const underWayMs = 6 * 60_000;
const retryMs = 2_000;

/**
 * Closing at once, by both sides' will: first nothing is served on the channel any more, then what runs is settled, then
 * the ack key signs what it has cost. The pause outlasts the approval, so nothing is served that it would not pay.
 */
export class Closings {
  readonly #options: ClosingOptions;

  constructor(options: ClosingOptions) {
    this.#options = options;
  }

  /**
   * @throws BombyxError CHANNEL_UNKNOWN (nothing was paid in), CHANNEL_CLOSING (its owner asked the chain already, or
   * it is closed), ATTEMPT_OPEN (requests still run: nothing new is served, ask again).
   */
  async approve(address: string): Promise<ClosingApproval> {
    const { ledger, globalId, vault, ackKey, now } = this.#options;
    const account = channelAccount(address);
    const known = await ledger.channelAccount(account);
    if (!known) throw new BombyxError("CHANNEL_UNKNOWN", "Nothing was paid into this channel yet.");
    if (known.pausedUntilAt === neverAgain) {
      throw new BombyxError(
        "CHANNEL_CLOSING",
        "This channel is not open (any more): its owner withdraws by itself.",
      );
    }
    const validUntilAt = now() + channelLimits.approvalMs;
    const paused = await this.#pause(known, validUntilAt + underWayMs);
    if (paused.reservedNano > 0n) {
      throw new BombyxError(
        "ATTEMPT_OPEN",
        "Requests on this channel still run; ask again when they have ended.",
        {
          retryAfterMs: retryMs,
        },
      );
    }
    const totalNano = paused.spentNano > paused.redeemedNano ? paused.spentNano : paused.redeemedNano;
    const channel = Address.parse(address);
    const hash = closingHash(globalId, channel, vault, totalNano, validUntilAt);
    const signature = sign(null, hash, ackKey);
    return {
      channel: address,
      totalNano: `${totalNano}`,
      validUntilAt,
      signature: signature.toString("hex"),
      body: channelMessages.closeTogether({ totalNano, validUntilAt, signature }).toBoc().toString("base64"),
      valueNano: `${attachedNano}`,
    };
  }

  #pause({ account, unsignedLimitNano }: ChannelAccount, pausedUntilAt: number): Promise<ChannelAccount> {
    return this.#options.ledger.setChannelTerms({ account, unsignedLimitNano, pausedUntilAt });
  }
}
