import { type Ack, concat, fromHex, u64be } from "@bombyx/protocol/wire";

const tag = 0xb0f00003;

const sha256 = async (bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> =>
  new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));

function fixed(tagOrNetwork: number, signed: boolean): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(4));
  if (signed) view.setInt32(0, tagOrNetwork);
  else view.setUint32(0, tagOrNetwork);
  return new Uint8Array(view.buffer);
}

/** VarUInteger 16: half a byte with the count of bytes, then those; as hex digits, which two of them fill up. */
function coins(nano: bigint): string {
  if (nano >= 2n ** 120n) throw new RangeError(`${nano} nanoTON are no coins`);
  const digits = nano === 0n ? "" : nano.toString(16);
  const even = digits.length % 2 === 0 ? digits : `0${digits}`;
  return `${(even.length / 2).toString(16)}${even}`;
}

/**
 * What the gateway's ack key signs: the hash of the TON cell that `packAck` of @bombyx/contracts makes of it, without a
 * library of the chain (a test compares them).
 * @see https://docs.ton.org/foundations/serialization/cells
 */
export async function ackHash(ack: Ack): Promise<Uint8Array<ArrayBuffer>> {
  const receipts = concat(u64be(ack.n), fromHex(ack.receiptsHash));
  const child = await sha256(concat(new Uint8Array([0, receipts.length * 2]), receipts));
  const data = concat(
    fixed(tag, false),
    fixed(ack.globalId, true),
    fromHex(ack.vault),
    fromHex(ack.account),
    u64be(ack.index),
    fixed(ack.epoch, false),
    fromHex(coins(BigInt(ack.cumulativeNano)) + coins(BigInt(ack.heldNano))),
  );
  // One reference, whole bytes; then the depth of what is referenced, and its hash.
  return sha256(concat(new Uint8Array([1, data.length * 2]), data, new Uint8Array(2), child));
}
