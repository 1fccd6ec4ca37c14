import { blake2b256 } from "../session/sodium.ts";
import { fromHex, toHex } from "../wire/encoding.ts";
import type { Receipt } from "../wire/receipt.ts";
import { canonicalBytes } from "./canonical.ts";

/** `receiptsHash` of an Ack before the first receipt. */
export const firstReceiptsHash = "00".repeat(32);

/** Next link of an Ack's chain (SETTLEMENT "Acks"): H(previous ‖ H(canonical JSON of the receipt)), BLAKE2b-256, hex. */
export function nextReceiptsHash(previous: string, receipt: Receipt): string {
  return toHex(blake2b256(fromHex(previous), blake2b256(canonicalBytes(receipt))));
}
