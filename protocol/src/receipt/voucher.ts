import { concat, fromHex } from "../wire/encoding.ts";

/** What a voucher says; addresses are raw, `0:hex`. */
export interface VoucherTerms {
  readonly globalId: number;
  readonly channel: string;
  readonly vault: string;
  readonly totalNano: bigint;
}

const tag = 0xb0f00001;
const maxCoins = 2n ** 120n;

/**
 * The TON cell that a voucher key signs, {tag, network, channel, vault, total}, in the representation whose SHA-256 is the
 * cell's hash: one ordinary cell without references. `voucherHash` of @bombyx/contracts makes the same with a
 * library that is too heavy for a page (a test compares them).
 * @see https://docs.ton.org/foundations/serialization/cells
 * @throws RangeError for a total that coins cannot hold, or an address that is not raw and in the basechain.
 */
export function voucherCell({ globalId, channel, vault, totalNano }: VoucherTerms): Uint8Array<ArrayBuffer> {
  if (totalNano < 0n || totalNano >= maxCoins) throw new RangeError(`${totalNano} nanoTON are no coins`);
  const head = new DataView(new ArrayBuffer(8));
  head.setUint32(0, tag);
  head.setInt32(4, globalId);
  const data = concat(new Uint8Array(head.buffer), partyOf(channel), partyOf(vault), coins(totalNano));
  // Coins leave half a byte: a completion tag fills it, and the cell's length descriptor is odd.
  return concat(new Uint8Array([0, data.length * 2 - 1]), data);
}

/** VarUInteger 16 from its first bit on, and the completion tag `1000`. */
function coins(nano: bigint): Uint8Array<ArrayBuffer> {
  const digits = nano === 0n ? "" : nano.toString(16);
  const even = digits.length % 2 === 0 ? digits : `0${digits}`;
  return fromHex(`${(even.length / 2).toString(16)}${even}8`);
}

function partyOf(address: string): Uint8Array<ArrayBuffer> {
  const hash = /^0:([0-9a-f]{64})$/.exec(address)?.[1];
  if (hash === undefined) throw new RangeError(`${address} is no raw address of the basechain`);
  return fromHex(hash);
}
