import { packAck } from "@bombyx/contracts/vault-messages";
import { type Ack, fromHex } from "@bombyx/protocol/wire";
import { Address } from "@ton/core";

const basechain = (hash: string) => new Address(0, Buffer.from(hash, "hex"));

/** What the gateway's ack key signs: the hash of the cell that a dispute carries (SETTLEMENT "Acks"). */
export function ackHash(ack: Ack): Uint8Array {
  return packAck({
    globalId: ack.globalId,
    vault: basechain(ack.vault),
    account: basechain(ack.account),
    index: ack.index,
    epoch: ack.epoch,
    cumulativeNano: BigInt(ack.cumulativeNano),
    heldNano: BigInt(ack.heldNano),
    count: BigInt(ack.n),
    receiptsHash: fromHex(ack.receiptsHash),
  }).hash();
}
