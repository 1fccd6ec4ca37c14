import { blake2b256 } from "../session/sodium.ts";
import { toHex } from "../wire/encoding.ts";
import type { Price } from "../wire/price.ts";
import { domainBytes } from "./canonical.ts";

/** A price row names itself by a hash of its content, so that agreeing on the id agrees on the row. */
export function priceId(row: Omit<Price, "id">): string {
  const content = { ...row, nanoPerUnit: row.nanoPerUnit.toString() };
  return toHex(blake2b256(domainBytes("bombyx/price/v1\0", content)).subarray(0, 16));
}
