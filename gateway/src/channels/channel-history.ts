import { vaultOps } from "@bombyx/contracts/vault-messages";
import type { Transaction } from "@ton/core";

/** What a channel's own transactions say so far. */
export interface ChannelHistory {
  /** What the account has. */
  readonly balanceNano: bigint;
  /** What it has sent to the vault, less what came back. */
  readonly redeemedNano: bigint;
  /** The most that could be spent so far: redeemed, and the balance above the contract's rent. Never falls. */
  readonly depositNano: bigint;
}

export const emptyHistory: ChannelHistory = { balanceNano: 0n, redeemedNano: 0n, depositNano: 0n };

/**
 * The contract keeps five years' rent, 11 cells at prices since 30 April 2026: 3,572,900 nano. A year's more is left
 * alone, so that what was credited can still be redeemed when rent has eaten of it.
 */
export const keptForRentNano = 4_300_000n;

const bouncedTag = 0xffffffff;

/** One transaction further. Pure: from the first one on, the same transactions make the same history. */
export function afterTransaction(before: ChannelHistory, transaction: Transaction): ChannelHistory {
  let balanceNano = before.balanceNano - transaction.totalFees.coins;
  let { redeemedNano } = before;
  const { inMessage } = transaction;
  if (inMessage?.info.type === "internal") {
    balanceNano += inMessage.info.value.coins;
    if (inMessage.info.bounced) redeemedNano -= paymentThatCameBack(transaction);
  }
  for (const message of transaction.outMessages.values()) {
    if (message.info.type !== "internal") continue;
    const { value, forwardFee, ihrFee } = message.info;
    balanceNano -= value.coins + forwardFee + ihrFee;
    const body = message.body.beginParse();
    if (!message.info.bounced && body.remainingBits >= 100 && body.loadUint(32) === vaultOps.channelPayment) {
      redeemedNano += body.skip(64).loadCoins();
    }
  }
  const spendable = redeemedNano + balanceNano - keptForRentNano;
  const depositNano = spendable > before.depositNano ? spendable : before.depositNano;
  return { balanceNano, redeemedNano, depositNano };
}

/** All that a channel sends bounceably is a payment; its first 256 bits come back. */
function paymentThatCameBack({ inMessage, description }: Transaction): bigint {
  const handled =
    description.type === "generic" &&
    description.computePhase.type === "vm" &&
    description.computePhase.success;
  const body = inMessage?.body.beginParse();
  if (!handled || !body || body.remainingBits < 32 + 32 + 64 + 4) return 0n;
  if (body.loadUint(32) !== bouncedTag || body.loadUint(32) !== vaultOps.channelPayment) return 0n;
  return body.skip(64).loadCoins();
}
