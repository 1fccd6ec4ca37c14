import { packAck } from "@bombyx/contracts/vault-messages";
import { type Ack, ackSchema, fromHex, hex } from "@bombyx/protocol/wire";
import { Address, type Cell } from "@ton/core";
import * as z from "zod";

/** An Ack with the ack key's signature: what a dispute shows. */
export const signedAckSchema = z.strictObject({ ack: ackSchema, signature: hex.b64 });
export type SignedAck = z.infer<typeof signedAckSchema>;

/** The cell whose hash the ack key signs: what the vault checks too (SETTLEMENT "Acks"). */
export const ackCell = (ack: Ack): Cell =>
  packAck({
    globalId: ack.globalId,
    vault: new Address(0, Buffer.from(ack.vault, "hex")),
    account: new Address(0, Buffer.from(ack.account, "hex")),
    index: ack.index,
    epoch: ack.epoch,
    cumulativeNano: BigInt(ack.cumulativeNano),
    heldNano: BigInt(ack.heldNano),
    count: BigInt(ack.n),
    receiptsHash: fromHex(ack.receiptsHash),
  });

/** Nano that the Ack says will be in the root of its epoch. */
export const promisedNano = (ack: Ack): bigint => BigInt(ack.cumulativeNano) - BigInt(ack.heldNano);
