import { hash } from "node:crypto";
import type { Ack } from "@bombyx/protocol/wire";

/** Tag of a SignedAck (contracts/src/vault/messages.tolk). */
const tag = "b0f00003";
/** Of a cell without references whose 40 bytes are all data. */
const receiptsDescriptor = "0050";

const fixed = (value: bigint | number, bytes: number): string =>
  BigInt.asUintN(bytes * 8, BigInt(value))
    .toString(16)
    .padStart(bytes * 2, "0");

/** Coins: a nibble with the count of bytes, then those. */
function coins(nano: string): string {
  const digits = BigInt(nano).toString(16);
  const whole = digits === "0" ? "" : digits.padStart(digits.length + (digits.length % 2), "0");
  if (whole.length > 30) throw new RangeError(`${nano} nanoTON do not fit a coins field`);
  return (whole.length / 2).toString(16) + whole;
}

const sha256 = (hex: string): string => hash("sha256", Buffer.from(hex, "hex"), "hex");

/**
 * What the ack key signs: the hash of the cell that `packAck` of the contracts makes (a test compares). Written out,
 * because there is one for each receipt, and building two cells takes ten times as long.
 */
export function ackHash(ack: Ack): Buffer {
  const receipts = sha256(receiptsDescriptor + fixed(ack.n, 8) + ack.receiptsHash);
  // Two nibbles of length make both coins together whole bytes.
  const data =
    tag +
    fixed(ack.globalId, 4) +
    ack.vault +
    ack.account +
    fixed(ack.index, 8) +
    fixed(ack.epoch, 4) +
    coins(ack.cumulativeNano) +
    coins(ack.heldNano);
  // One reference; all of the data whole bytes; the referenced cell's depth is 0.
  const descriptor = `01${fixed(data.length, 1)}`;
  return hash("sha256", Buffer.from(`${descriptor}${data}0000${receipts}`, "hex"), "buffer");
}
