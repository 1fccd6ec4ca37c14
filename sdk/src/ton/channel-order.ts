import { ClientChannel, channelMessages } from "@bombyx/contracts/client-channel";
import { codeOf } from "@bombyx/contracts/code";
import { Address } from "@ton/core";
import type { ChannelIdentity } from "../payment/voucher-signer.ts";
import type { Order } from "./order.ts";

/** What leaves the wallet and does not come into the channel, at today's prices; its rent for five years besides. */
const openFeeNano = 1_400_000n;
const rotateFeeNano = 600_000n;
const rotateAttachNano = 10_000_000n;

const contractOf = ({ owner, vault, salt }: Pick<ChannelIdentity, "owner" | "vault" | "salt">) =>
  ClientChannel.fromIdentity(
    { owner: Address.parse(owner), vault: Address.parse(vault), salt: BigInt(salt) },
    codeOf("client-channel"),
  );

/** The channel of this owner into this vault; its address is the hash of what it begins with, nobody's word. */
export function channelIdentity(terms: Omit<ChannelIdentity, "channel">): ChannelIdentity {
  const { globalId, salt } = terms;
  const owner = Address.parse(terms.owner).toRawString();
  const vault = Address.parse(terms.vault).toRawString();
  return { globalId, owner, vault, salt, channel: contractOf(terms).address.toRawString() };
}

/** Opens a channel and funds it with all that is above fees and rent; sent by the owner's wallet. */
export function openChannelOrder(identity: ChannelIdentity, voucherKey: string, nano: bigint): Order {
  const { init } = contractOf(identity);
  return {
    to: identity.channel,
    attachNano: nano,
    feeNano: openFeeNano,
    body: channelMessages.setKey(Buffer.from(voucherKey, "hex")),
    ...(init && { init }),
  };
}

/** Gives an open channel its next voucher key; vouchers of the one before are good for 72 h. */
export const rotateKeyOrder = (channel: string, voucherKey: string): Order => ({
  to: channel,
  attachNano: rotateAttachNano,
  feeNano: rotateFeeNano,
  body: channelMessages.setKey(Buffer.from(voucherKey, "hex")),
});
